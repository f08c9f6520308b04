"""The tool for people: ``python -m pipeline upscale IN OUT --scale 4``."""

import argparse
import hashlib
import json
import signal
import sys
import warnings
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from pipeline.upscale import bands, reading, writing
from pipeline.models import weights
from pipeline.engine.fused import Fused
from pipeline.sr.routing import Routing
from pipeline.models import build

SCALES = (2, 3, 4)
PUBLISHED = Path(__file__).parents[1] / "weights"
VARIANT = "prn_modern"  # the best of the published ones


def main(words=None):
    parser, args = arguments(words)
    try:
        run(args)
    except (ValueError, OSError) as error:
        parser.exit(1, f"upscale: {error}\n")
    except (MemoryError, torch.OutOfMemoryError):
        parser.exit(1, f"upscale: {args.input}: not enough memory; cut the image into parts\n")
    except KeyboardInterrupt:
        parser.exit(130, "upscale: stopped; nothing was written\n")


def arguments(words):
    parser = argparse.ArgumentParser(prog="python -m pipeline", description="PRN for people.")
    commands = parser.add_subparsers(required=True, metavar="upscale")
    tool = commands.add_parser("upscale", help="enlarge an image with the published PRN")
    tool.add_argument("input", type=Path, metavar="IN", help="grey or RGB, alpha or not, 8 or 16 bits")
    tool.add_argument("output", type=Path, metavar="OUT", help=", ".join(writing.SUFFIXES))
    tool.add_argument("--scale", type=int, choices=SCALES, required=True)
    tool.add_argument("--borders", choices=["context", "paper"], default="context",
                      help="of the patches: context (no seams), or zeros as in the paper")
    tool.add_argument("--gamma-low", type=float, default=10, help="Eq. 2; up to it a patch is mild (10)")
    tool.add_argument("--gamma-upper", type=float, default=30, help="Eq. 2; from it on severe (30)")
    tool.add_argument("--routes", type=Path, metavar="MAP.png",
                      help="picture of the routes: mild orange, moderate blue, severe black")
    tool.add_argument("--weights", type=Path, metavar="FILE", help="instead of the published ones")
    tool.add_argument("--device", choices=["cpu", "cuda"],
                      default="cuda" if torch.cuda.is_available() else "cpu")
    return tool, parser.parse_args(words)


def run(args):
    """Check what can be checked, then read, enlarge, write."""
    if not args.gamma_low < args.gamma_upper:
        raise ValueError(f"--gamma-low {args.gamma_low:g}: must be below --gamma-upper, "
                         f"which is {args.gamma_upper:g}")
    outputs = [args.output, *([args.routes] if args.routes else [])]
    for path in outputs:
        writing.check_name(path)
    if len({path.resolve() for path in [args.input, *outputs]}) <= len(outputs):
        raise ValueError(f"{args.output}: IN, OUT and MAP.png must be different files")
    net = network(args.weights, args.scale, args.device)
    picture = reading.read(args.input)
    pixels, (h, w, channels) = picture.pixels, picture.pixels.shape
    shape = (h * args.scale, w * args.scale, channels)
    writing.check_shape(args.output, shape, pixels.dtype)
    if args.routes:
        writing.check_shape(args.routes, (h, w, 3), np.uint8)

    charts = []

    def rows():
        found = bands.bands(net, pixels, Routing(args.gamma_low, args.gamma_upper), args.borders)
        total = bands.count(pixels.shape, args.scale)
        for band, chart in tqdm(found, total=total, unit="band", disable=None):  # None: no terminal
            charts.append(chart)
            yield band

    with ExitStack() as stack:
        image, *drawing = [stack.enter_context(writing.whole(path)) for path in outputs]
        writing.write(image, args.output.suffix, rows(), shape, pixels.dtype, picture.profile)
        for file in drawing:
            drawn = bands.route_map(pixels, np.concatenate(charts), args.scale)
            writing.write(file, args.routes.suffix, drawn, (h, w, 3), np.uint8)


def network(path, scale, device):
    """PRN with the published weights, or with those of a file.

    Raises
    ------
    ValueError
        None are published, the file is not the one that was, or does not fit the network.
    """
    if path is None:
        path, index = PUBLISHED / f"{VARIANT}.safetensors", PUBLISHED / "published.json"
        digest = json.loads(index.read_text()).get(VARIANT) if index.exists() else None
        if digest is None:
            raise ValueError(f"{path}: no weights are published; train them with make reproduce and "
                             f"give --weights artifacts/embedded/models/{VARIANT}.safetensors")
        if not path.exists() or hashlib.sha256(path.read_bytes()).hexdigest() != digest:
            raise ValueError(f"{path}: not the published file; restore it with git checkout weights")
    try:
        return Fused(weights.load(build("prn", SCALES), path).to(device), scale)
    except (RuntimeError, AssertionError) as error:  # torch names a device that is not there
        raise ValueError(f"--device {device}: {str(error).splitlines()[0]}") from error


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # nothing half-written is left then either
    warnings.simplefilter("ignore")  # of decoders, about odd metadata
    main()
