"""Leaving out the channels that are zero all over a part of an image changes nothing but the time."""

from types import SimpleNamespace

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from pipeline import silent, winograd
from pipeline.models import drcn
from pipeline.winograd import Conv3x3, without_silent

close = torch.testing.assert_close


@pytest.fixture
def heard(monkeypatch):
    """A list to which each part of an image adds how many channels its convolution has."""
    counts = []

    def conv2d(part, filters, bias=None, padding=0):
        if len(filters) > 1 and filters.shape[-1] == 3:
            counts.append(filters.shape[1])
        return F.conv2d(part, filters, bias, padding=padding)

    monkeypatch.setattr(silent, "F", SimpleNamespace(pad=F.pad, conv2d=conv2d))
    return counts


@pytest.mark.parametrize("shape", [(1, 8, 1, 1), (2, 8, 4, 6), (2, 8, 5, 7), (1, 8, 13, 19), (3, 8, 12, 2)])
@pytest.mark.parametrize("outputs", [slice(None), slice(3, 9), slice(7, 8)])
def test_values_are_those_of_the_plain_convolution(shape, outputs, monkeypatch):
    monkeypatch.setattr(silent, "HIGH", 4)
    monkeypatch.setattr(silent, "WIDE", 6)
    torch.manual_seed(sum(shape))
    conv, x = nn.Conv2d(8, 11, 3, padding=1), torch.randn(shape) * (torch.rand(shape) < 0.05)
    filters = conv.weight.permute(1, 2, 3, 0)[..., outputs]
    with torch.inference_mode():
        for x in (x, x.contiguous(memory_format=torch.channels_last), torch.cat([x, x + 1], 1)[:, :8]):
            y = silent.conv3x3(x, filters, conv.bias[outputs])
            close(y, conv(x)[:, outputs], rtol=1e-5, atol=1e-6)


def test_each_part_has_the_channels_that_it_sees(heard, monkeypatch):
    monkeypatch.setattr(silent, "HIGH", 4)
    monkeypatch.setattr(silent, "WIDE", 10)
    x = torch.zeros(2, 8, 16, 10)
    x[0, :5, 0] = 1  # 5 channels, in the first lines of one image
    x[1, 7, 4] = -1  # one below zero, in the border that two parts share
    x[0, 2, 11, 9] = 1  # and in a corner of the third part, seen by the fourth
    x[0, 3, 15, 0] = 1
    conv = nn.Conv2d(8, 11, 3, padding=1)
    y = silent.conv3x3(x, conv.weight.permute(1, 2, 3, 0), conv.bias)
    assert heard == [6, 1, 1, 2]
    close(y, conv(x), rtol=1e-5, atol=1e-6)


def test_where_all_is_zero_the_bias_stands(heard):
    y = silent.conv3x3(torch.zeros(1, 8, 40, 70), torch.rand(8, 3, 3, 2), torch.tensor([1.0, -2.0]))
    assert not heard and torch.equal(y, torch.tensor([1.0, -2.0]).view(1, 2, 1, 1).expand(1, 2, 40, 70))


def test_in_the_block_alone_channels_are_left_out(heard, monkeypatch):
    monkeypatch.setattr(winograd, "WIDE", 8)
    torch.manual_seed(0)
    conv, x = Conv3x3(8, 11), torch.rand(1, 8, 9, 9)
    x[:, 2:5] = 0
    with torch.inference_mode():
        with pytest.raises(ZeroDivisionError), without_silent(nn.Sequential(conv)):
            y = conv(x, conv.lay_out())
            assert heard == [5]
            raise ZeroDivisionError
        close(conv(x, conv.lay_out()), y, rtol=1e-5, atol=1e-5)
    assert heard == [5]


def test_a_drcn_with_silent_channels_gives_the_same_image(heard):
    torch.manual_seed(0)
    net, x = drcn.Recursive(), torch.rand(1, 1, 21, 70)
    with torch.inference_mode():
        y = net(x)
        assert not heard
        with without_silent(net):
            lean = net(x)
    # an embedding and seventeen halves or wholes, in two parts; He's start has silenced some of each
    assert len(heard) == 2 * (drcn.RECURSIONS + 2) and max(heard) < drcn.WIDTH
    close(lean, y, rtol=1e-5, atol=1e-5)


def test_benchmark_silent(benchmark):
    """pytest-benchmark's row of DRCN's joint convolution with nine tenths of its channels silent."""
    torch.manual_seed(0)
    conv = Conv3x3(256, 512)
    x = torch.rand(1, 256, 128, 128).to(memory_format=torch.channels_last)
    x[:, torch.randperm(256)[26:]] = 0
    with torch.inference_mode():
        whole = conv(x, conv.lay_out())
        with without_silent(nn.Sequential(conv)):
            y = benchmark.pedantic(conv, [x, conv.lay_out()], rounds=3, warmup_rounds=1)
    close(y, whole, rtol=1e-4, atol=1e-4)
