"""Downloads: hashes, mirror, resume, and errors that say what to do."""

import functools
import hashlib
import http.server
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
import yaml
from PIL import Image

from pipeline.data import sources
from pipeline.io import sha256

# the test server leaves the closing of its sockets to the garbage collector
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning",
                                        "ignore::pytest.PytestUnraisableExceptionWarning")

FILES = {"a.png": b"first image" * 100, "b.png": b"second image" * 100}


@pytest.fixture
def server(tmp_path, monkeypatch):
    """A local server of two files, with a counter of requests; not asked through a proxy of the user's."""
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "127.0.0.1,localhost")
    root = tmp_path / "www"
    root.mkdir()
    for name, content in FILES.items():
        (root / name).write_bytes(content)
    asked, faults = [], {}

    class Handler(http.server.SimpleHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            fault = faults.get(self.path)
            if fault is None:
                return super().do_GET()
            fault(self, (root / self.path[1:]).read_bytes())

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0),
                                         functools.partial(Handler, directory=root)) as httpd:
        thread = threading.Thread(target=httpd.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{httpd.server_address[1]}", root, asked, faults
        httpd.shutdown()
        thread.join()


@pytest.fixture
def registered(server, monkeypatch, tmp_path):
    url = server[0]
    rows = [f"pair,{url}/{name},{hashlib.sha256(content).hexdigest()},{len(content)}"
            for name, content in FILES.items()]
    path = tmp_path / "datasets.csv"
    path.write_text("dataset,url,sha256,bytes\n" + "\n".join(rows) + "\n")
    whole = sources.registry(path)
    monkeypatch.setattr(sources, "registry", lambda: whole)
    return whole["pair"]


def test_download_checks_and_does_not_ask_twice(server, registered, tmp_path):
    out, cache = tmp_path / "out", tmp_path / "cache"
    assert sources.fetch("pair", out, cache=cache) == 2
    assert {f.name: f.read_bytes() for f in out.iterdir()} == FILES
    requests = len(server[2])
    assert sources.fetch("pair", out, cache=cache) == 2
    assert len(server[2]) == requests


def test_altered_file_is_refused_and_the_rest_is_kept(server, registered, tmp_path):
    _, root, asked, _ = server
    (root / "b.png").write_bytes(b"tampered")
    out, cache = tmp_path / "out", tmp_path / "cache"
    with pytest.raises(sources.SourceError, match="pair: b.png: .* registered hash"):
        sources.fetch("pair", out, cache=cache)
    assert not out.exists()  # nothing half-written
    (root / "b.png").write_bytes(FILES["b.png"])
    asked.clear()
    sources.fetch("pair", out, cache=cache)
    assert asked == ["/b.png"]  # only what was missing


def test_missing_file_says_what_to_do(server, registered, tmp_path):
    (server[1] / "a.png").unlink()
    with pytest.raises(sources.SourceError, match="a.png.*404.*set PRN_MIRROR=DIR"):
        sources.fetch("pair", tmp_path / "out", cache=tmp_path / "cache")


def error_500(handler, content):
    handler.send_error(500)


def cut_off(handler, content):
    """Half of the bytes that were promised, then the line goes dead."""
    handler.send_response(200)
    handler.send_header("Content-Length", str(len(content)))
    handler.end_headers()
    handler.wfile.write(content[:len(content) // 2])
    handler.close_connection = True


def cut_off_without_length(handler, content):
    """As `cut_off`, but nothing tells the client how much was to come."""
    handler.send_response(200)
    handler.end_headers()
    handler.wfile.write(content[:len(content) // 2])
    handler.close_connection = True


def empty(handler, content):
    handler.send_response(200)
    handler.send_header("Content-Length", "0")
    handler.end_headers()


def error_page(handler, content):
    handler.send_response(200)
    handler.end_headers()
    handler.wfile.write(b"<html>Please log in</html>")
    handler.close_connection = True


def stalled(handler, content):
    handler.send_response(200)
    handler.send_header("Content-Length", str(len(content)))
    handler.end_headers()
    handler.wfile.write(content[:10])
    time.sleep(0.5)


def slow(handler, content):
    """A few bytes at a time, each within the time limit."""
    handler.send_response(200)
    handler.send_header("Content-Length", str(len(content)))
    handler.end_headers()
    for i in range(0, len(content), 200):
        handler.wfile.write(content[i:i + 200])
        time.sleep(0.05)


@pytest.mark.parametrize("fault, message", [
    (error_500, "could not be fetched .500"), (cut_off, "could not be fetched"),
    (cut_off_without_length, "does not have the registered hash"),
    (empty, "does not have the registered hash"), (error_page, "does not have the registered hash"),
    (stalled, "could not be fetched .*timed out"), (slow, None),
], ids=lambda v: v.__name__ if callable(v) else "")
def test_faults_of_a_server_leave_nothing_half_written(server, registered, tmp_path, monkeypatch,
                                                       fault, message):
    monkeypatch.setattr(sources, "TIMEOUT", 0.2)
    _, _, asked, faults = server
    faults["/b.png"] = fault
    out, cache = tmp_path / "out", tmp_path / "cache"
    if message:
        with pytest.raises(sources.SourceError, match=f"pair: b.png: .*{message}"):
            sources.fetch("pair", out, cache=cache)
        assert not out.exists()
        assert [f.name for f in cache.rglob("*") if f.is_file()] == ["a.png"]  # kept for the next try
        faults.clear()
    sources.fetch("pair", out, cache=cache)
    assert {f.name: f.read_bytes() for f in out.iterdir()} == FILES
    assert asked.count("/a.png") == 1


def test_a_fault_that_passes_is_tried_again(server, registered, tmp_path):
    faults = server[3]

    def once(handler, content):
        faults.clear()
        error_500(handler, content)

    faults["/a.png"] = once
    assert sources.fetch("pair", tmp_path / "out", cache=tmp_path / "cache") == 2


def test_what_a_killed_download_left_is_overwritten_by_the_next(server, registered, tmp_path):
    cache, faults = tmp_path / "cache", server[3]
    code = ("import sys; from pathlib import Path; from pipeline.data import sources\n"
            "known = sources.registry(Path(sys.argv[1])); sources.registry = lambda: known\n"
            "sources.fetch('pair', Path(sys.argv[2]), cache=Path(sys.argv[3]))")
    faults["/a.png"] = lambda handler, content: (cut_off(handler, content), time.sleep(60))
    process = subprocess.Popen([sys.executable, "-c", code, tmp_path / "datasets.csv", tmp_path / "out", cache])
    while not list(cache.rglob("a.png.partial")):
        assert process.poll() is None
        time.sleep(0.01)
    process.kill()
    process.wait()
    assert [f.name for f in cache.rglob("*") if f.is_file()] == ["a.png.partial"]
    faults.clear()
    sources.fetch("pair", tmp_path / "out", cache=cache)
    assert sorted(f.name for f in cache.rglob("*") if f.is_file()) == ["a.png", "b.png"]


def test_a_cache_that_was_altered_is_fetched_again(server, registered, tmp_path):
    """A kill in the middle of a write, or another program: the hash is checked at every use."""
    cache = tmp_path / "cache"
    sources.fetch("pair", tmp_path / "out", cache=cache)
    kept = next(cache.rglob("b.png"))
    kept.write_bytes(kept.read_bytes()[:50])
    sources.fetch("pair", tmp_path / "out", cache=cache)
    assert (tmp_path / "out" / "b.png").read_bytes() == FILES["b.png"]


def test_a_mirror_that_lacks_a_file_asks_the_network_and_says_so(server, registered, tmp_path):
    mirror = tmp_path / "mirror"
    mirror.mkdir()
    assert sources.fetch("pair", tmp_path / "out", cache=tmp_path / "cache", mirror=mirror) == 2
    (server[1] / "b.png").unlink()
    with pytest.raises(sources.SourceError, match="b.png.* not in PRN_MIRROR=.*mirror either"):
        sources.fetch("pair", tmp_path / "out", cache=tmp_path / "cache2", mirror=mirror)


def test_mirror_is_asked_first_and_checked(server, registered, tmp_path):
    mirror = tmp_path / "mirror"
    for source in registered:
        (mirror / source.host_path).parent.mkdir(parents=True, exist_ok=True)
        (mirror / source.host_path).write_bytes(FILES[source.host_path.rsplit("/", 1)[1]])
    sources.fetch("pair", tmp_path / "out", cache=tmp_path / "cache", mirror=mirror)
    assert server[2] == []
    (mirror / registered[0].host_path).write_bytes(b"tampered")
    with pytest.raises(sources.SourceError, match="a.png is altered: sha256 expected .*, found .*mirror"):
        sources.fetch("pair", tmp_path / "out2", cache=tmp_path / "cache", mirror=mirror)


def test_folder_of_the_user(tmp_path):
    folder = tmp_path / "mine"
    folder.mkdir()
    with pytest.raises(sources.SourceError, match="local.mine: .*no image there"):
        sources.fetch("mine", tmp_path / "out", cache=tmp_path, local={"mine": str(folder)})
    (folder / "x.png").write_bytes(b"x")
    with pytest.raises(sources.SourceError, match="local.mine: .*x.png: not a readable image"):
        sources.fetch("mine", tmp_path / "out", cache=tmp_path, local={"mine": str(folder)})
    Image.new("RGB", (4, 5)).save(folder / "x.png")
    assert sources.fetch("mine", tmp_path / "out", cache=tmp_path, local={"mine": str(folder)}) == 1


def test_a_folder_of_the_user_may_be_under_his_home(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "mine").mkdir()
    Image.new("RGB", (4, 5)).save(tmp_path / "mine" / "x.png")
    assert sources.fetch("mine", tmp_path / "out", cache=tmp_path, local={"mine": "~/mine"}) == 1
    assert [row[0] for row in sources.state("mine", Path("~/mine"))] == ["x.png"]
    for call in (lambda where: sources.fetch("mine", tmp_path / "out", cache=tmp_path, local={"mine": where}),
                 lambda where: sources.state("mine", Path(where))):
        with pytest.raises(sources.SourceError, match="local.mine: Could not determine home"):
            call("~nobody_of_this_name/mine")


def test_voc2012_archive_is_unpacked_from_the_mirror(tmp_path, monkeypatch):
    import io
    import tarfile

    archive = tmp_path / "mirror" / sources.VOC2012_URL.split("://")[1]
    archive.parent.mkdir(parents=True)
    with tarfile.open(archive, "w") as tar:
        for name in ("VOCdevkit/VOC2012/JPEGImages/1.jpg", "VOCdevkit/VOC2012/Annotations/1.xml"):
            member = tarfile.TarInfo(name)
            member.size = 3
            tar.addfile(member, io.BytesIO(b"abc"))
    args = dict(cache=tmp_path / "cache", mirror=tmp_path / "mirror")
    with pytest.raises(sources.SourceError, match="altered: md5 expected"):
        sources.fetch("voc2012", tmp_path / "out", **args)
    monkeypatch.setattr(sources, "VOC2012_MD5", hashlib.md5(archive.read_bytes()).hexdigest())
    assert sources.fetch("voc2012", tmp_path / "out", **args) == 1
    assert [f.name for f in (tmp_path / "out").iterdir()] == ["1.jpg"]


def test_registry_is_complete():
    counts = {name: len(files) for name, files in sources.registry().items()}
    assert counts == {"set5": 5, "set14": 14, "bsds100": 100, "urban100": 100, "bsds200": 200,
                      "bsds500_test": 200, "t91": 91, "voc2012_sample": 85, "embedded_train": 6,
                      "embedded_test": 4}


def test_data_dvc_pins_the_embedded_images():
    """DVC re-pins changed data silently (dvc.md, section 2): the hash stands here as well."""
    pinned = yaml.safe_load(Path("data.dvc").read_text())
    assert pinned["outs"][0]["md5"] == pinned["deps"][0]["md5"] == "28f444acd0681f73bf3266643ee4d6d8.dir"
    assert not pinned.get("frozen")  # a frozen import fails in a fresh clone
    for dataset in ("embedded_train", "embedded_test"):
        for source in sources.registry()[dataset]:
            path = source.url.replace("data/", "embedded/", 1)
            assert sha256(path) == source.sha256, path
