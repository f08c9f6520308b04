"""Names are data: whatever images, data sets and variants are called, no row is lost, merged or renamed."""

import csv
import html
import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pipeline.data import pack
from pipeline.data.images import list_images
from stages.common import csv_files
from tests import workspace

SHOWN = "{0} $1$ 100% & <i>, Кофе"  # of the pictures: in captions, in figures, in the page
NAMES = ["NA", "null", "001", "1", "1e5", "100000", 'a,b "c"', "${item}", "x", "x.npy", "日本語", "長" * 82,
         SHOWN]  # 82 letters and the suffix: 250 bytes
MORE = ["nan", "inf", "-inf", "None", "True", "1_000", "2024-01-01", "-", " spaced ", "it's", '"', "'", "#1",
        "%s", "\\n", "é", "e\u0301", "file", "=1+1"]
SET, TRAINING, VARIANT = "NA", "null", "001"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A workspace with images of all these names, data sets and a variant of such names."""
    raw = workspace.small_params()
    workspace.fill(tmp_path, raw)
    crop = np.asarray(Image.open(tmp_path / "test" / "camera.png"))[:80, :72]
    for path in (tmp_path / "test").iterdir():
        path.unlink()
    for i, name in enumerate(NAMES):
        Image.fromarray(np.roll(crop, i, axis=0)).save(tmp_path / "test" / f"{name}.png")
    raw["local"] = {TRAINING: "train", SET: "test"}
    images = raw["profiles"]["embedded"]
    images |= {"test": [SET], "ablation": SET}
    images["engine"]["sets"] = [SET]
    for phase in images["train"].values():
        phase["sets"] = [TRAINING]
    for picture in images["pictures"].values():
        picture |= {"dataset": SET, "image": SHOWN}
    raw["variants"][VARIANT] = {"seed": 1}
    raw["ablation"] |= {"lows": [10], "uppers": [30]}  # one pair is enough here
    raw["routed"] = [*raw["routed"], VARIANT]
    workspace.write(tmp_path, raw)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TQDM_DISABLE", "1")
    return raw


def rows(path):
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_names_of_images_sets_and_variants_come_through_all_stages_as_they_are(folder, monkeypatch):
    assert workspace.first_words(workspace.whole_pipeline(folder), monkeypatch) is None
    made, out = Path("artifacts/embedded"), Path("reports/embedded")
    scored = rows(out / "quality.csv")
    methods = [*folder["methods"], *folder["routed"], "prn_context"]
    scales = {name: 1 if name == "cnn7" else 3 for name in methods}
    assert Counter(r["method"] for r in scored) == {n: len(NAMES) * scales[n] for n in methods}
    for table in (scored, rows(made / "ablation.csv"), rows(made / "priors.csv"), rows(made / "seams.csv")):
        assert {r["image"] for r in table if "image" in r} in (set(NAMES), set())
    assert {r["dataset"] for r in scored} == {SET}
    for name in ("table1", "timing", "engine"):
        assert {r["dataset"] for r in rows(out / f"{name}.csv")} == {SET}, name
    for name in ("table1", "timing"):
        assert VARIANT in {r["method"] for r in rows(out / f"{name}.csv")}, name
    provenance = json.loads((out / "provenance.json").read_text(encoding="utf-8"))
    assert provenance["data"]["test"][SET].keys() == {f"{n}.png" for n in NAMES}
    assert SHOWN in (out / "report.md").read_text(encoding="utf-8")
    assert SHOWN in html.unescape((out / "report.html").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", NAMES + MORE)
def test_a_table_is_read_as_it_was_written(tmp_path, name):
    table = [{"method": name, "dataset": name, "image": name, "psnr_db": value} for value in (30.5, None)]
    csv_files.write(tmp_path / "t.csv", table)
    found = csv_files.read(tmp_path / "t.csv")
    assert [*found.method, *found.dataset, *found.image] == [name] * 6
    assert found.psnr_db[0] == 30.5 and np.isnan(found.psnr_db[1])


def test_packed_images_keep_their_names(tmp_path):
    images = {f"mine/{name}": np.full((2, 3), i, np.uint8) for i, name in enumerate(NAMES + MORE)}
    pack.pack(tmp_path / "p.npz", images)
    found = pack.unpack(tmp_path / "p.npz")
    assert found.keys() == images.keys() and all((found[n] == images[n]).all() for n in images)


@pytest.mark.parametrize("name, shown", [(b"caf\xe9.png", r"caf\\udce9"), (b"a\nb.png", r"a\\nb"),
                                         (b"a\r.png", r"a\\r")])
def test_a_name_that_no_table_can_hold_is_refused_at_once(tmp_path, name, shown):
    with open(bytes(tmp_path) + b"/" + name, "wb"):
        pass
    with pytest.raises(ValueError, match=f"{shown}.*line break or the like, or is not UTF-8; rename"):
        list_images(tmp_path)
