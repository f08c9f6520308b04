"""The ladder of trainings: what the last doubling gained, where it settles, and which verdict that carries."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from pipeline.analysis import ladder
from pipeline.analysis.results import shortfall
from pipeline.report.figures.ladder import ladder as figure
from tests.test_claims import made_up


def rungs(*points):
    return {"steps": 1, "recipe": {"batch": 16, "crop": 54}, "patches": points[-1][0],
            "rungs": [{"patches": n, "psnr_db_x2": x2, "psnr_db_x4": x4} for n, x2, x4 in points]}


HALVING = rungs((100, 30.0, 27.0), (400, 30.4, 27.4), (1600, 30.6, 27.5))  # x2: half as much each time


def test_the_last_doubling_is_that_of_the_scale_that_gains_most():
    assert ladder.last_doubling(HALVING) == pytest.approx(0.1)  # two doublings gained 0.2 dB at x2
    assert ladder.last_doubling(HALVING, [4]) == pytest.approx(0.05)  # a claim on x4 alone
    assert ladder.settled_at(HALVING, 0.06, [4]) == 1600 and ladder.settled_at(HALVING, 0.06) > 1600
    assert ladder.last_doubling(rungs((100, 30.0, 27.0))) is None and ladder.last_doubling({}) is None


def test_where_it_settles_by_its_own_slope():
    """x2 gains 0.2 dB a doubling about 200 patches and 0.1 about 800: 0.05 about 3200, 0.025 about 12,800, each
    the middle of a doubling; where the doubling that comes gains little enough, it is that one."""
    alone = {"rungs": [{k: r[k] for k in ("patches", "psnr_db_x2")} for r in HALVING["rungs"]]}
    assert ladder.settled_at(alone, 0.05) == pytest.approx(3200 * 2**0.5)
    assert ladder.settled_at(alone, 0.025) == pytest.approx(12800 * 2**0.5)
    assert ladder.settled_at(alone, 0.09) == 3200
    assert ladder.settled_at(alone, 0.2) == 1600
    rising = rungs((100, 30.0, 27.0), (400, 30.1, 27.1), (1600, 30.4, 27.4))
    assert ladder.settled_at(rising, 0.03) is None and ladder.settled_at(rungs((100, 30.0, 27.0)), 0.03) is None


def test_a_flat_ladder_carries_a_verdict_and_a_steep_one_says_what_would():
    results = made_up()
    flat = rungs((100_000, 31.0, 27.0), (200_000, 31.02, 27.029))
    assert shortfall(replace(results, models={"prn": flat}), ["prn"]) == ""
    said = shortfall(replace(results, models={"prn": HALVING}), ["prn"])
    assert "PRN 1,600 patches a scale, +0.100 dB by the last doubling" in said
    assert f"{ladder.settled_at(HALVING, 0.03):,.0f} would settle it" in said
    assert "3,150,000 would settle it" in shortfall(
        replace(results, models={"prn": rungs((1000, 30.0, 27.0), (2000, 30.5, 27.4))}), ["prn"])


def test_the_table_has_a_row_a_rung_and_scale_and_the_figure_draws_it():
    table = ladder.table({"prn": HALVING, "bicubic": {"steps": 0}})
    assert list(table) == ladder.COLUMNS and len(table) == 6
    assert table[table.scale == 2].doubling_db.tolist()[1:] == pytest.approx([0.2, 0.1])
    texts = [t.get_text() for axes in figure(table).axes for t in axes.texts]
    assert [t.strip() for t in texts] == ["+0.100", "+0.050"]
    assert "no training" in figure(table[table.method == "x"]).axes[0].texts[0].get_text()
    assert np.isnan(table.doubling_db.iloc[0]) and isinstance(table, pd.DataFrame)
