"""Where images come from: the registry, a mirror, the network, folders of the user.

`pipeline/data/datasets.csv` names every file with its SHA-256.  Fetched files stay in a cache that no
stage owns, so that a broken download goes on with what is missing.
"""

import csv
import errno
import os
import shutil
import tarfile
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from pipeline.data.images import list_images, read, read_for
from pipeline.io import sha256

REGISTRY = Path(__file__).with_name("datasets.csv")
VOC2012_URL = ("http://host.robots.ox.ac.uk/pascal/VOC/voc2012/VOCtrainval_11-May-2012.tar")
VOC2012_MD5, VOC2012_BYTES = "6cd6e144f989b92b3379bac3b3de84fd", 2 * 10**9  # 17,125 JPEG images
TRIES, TIMEOUT = 3, 30  # seconds without a byte
DISK = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES)


class SourceError(RuntimeError):
    """A file could not be had, or is not what its registry says."""


@dataclass(frozen=True)
class Source:
    """One file of the registry; a URL without a scheme is a path in the repository."""

    dataset: str
    url: str
    sha256: str
    bytes: int

    @property
    def host_path(self):
        """host/path, as in a mirror; the path itself for a file of the repository."""
        return self.url.split("://", 1)[-1]


def registry(path=REGISTRY):
    """All registered files: dict of data set to list of `Source`."""
    datasets = {}
    with open(path, newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            source = Source(row["dataset"], row["url"], row["sha256"], int(row["bytes"]))
            datasets.setdefault(source.dataset, []).append(source)
    return datasets


def known():
    """Names of all data sets but the user's own."""
    return [*registry(), "voc2012"]


def fetch(name, folder, *, cache, mirror=None, local=None, scale=None, progress=lambda items, total: items):
    """Put the images of a data set into a folder, each checked against its hash.

    Parameters
    ----------
    name : str
        Of the registry, ``voc2012``, or a key of `local`.
    folder : Path
        Made anew.
    cache : Path
        Downloads are kept here under host/path.
    mirror : Path or None
        Files are taken from here, under host/path, before the network is asked (PRN_MIRROR).
    local : dict of str to str
        Folders with images of the user; ~ is a home.
    scale : int, optional
        For images of the user that are to be scored: each must be fit for it (`read_for`).
    progress : callable
        Wraps an iterable of known length, such as ``tqdm``.

    Returns
    -------
    int, images

    Raises
    ------
    SourceError
        Names the file, what was expected, what was found and what to do.
    """
    if name in (local or {}):
        files = [(path, path.name) for path in _local_images(name, Path(local[name]), scale)]
    elif name == "voc2012":
        files = _voc2012(cache, mirror)
    else:
        sources = registry()[name]
        files = [(obtain(s, cache, mirror), Path(s.host_path).name)
                 for s in progress(sources, len(sources))]
    _fill(folder, files)
    return len(files)


def state(name, folder):
    """Name, bytes and time of change of each image in a folder of the user: list of lists.

    Raises
    ------
    SourceError
        The folder is absent, holds no image or one of another format.
    """
    try:
        return [[p.name, p.stat().st_size, p.stat().st_mtime_ns] for p in list_images(folder.expanduser())]
    except (FileNotFoundError, ValueError, RuntimeError) as error:  # RuntimeError: ~ of nobody
        raise SourceError(f"local.{name}: {error}") from error


def files(name):
    """What has to be had for a data set that is not the user's: list of `Source`."""
    if name == "voc2012":
        return [Source(name, VOC2012_URL, "", VOC2012_BYTES)]
    return registry()[name]


def missing(wanted, cache, mirror):
    """Those of some `Source` that only the network has: list."""
    return [s for s in wanted if "://" in s.url and not (cache / s.host_path).exists()
            and not (mirror is not None and (mirror / s.host_path).exists())]


def obtain(source, cache, mirror):
    """A path that holds the file of a `Source` with its hash checked; `fetch` has the parameters.

    Raises
    ------
    SourceError
        Names the file, what was expected, what was found and what to do.
    """
    if "://" not in source.url:
        return _checked(Path(source.url), source, "restore it with git checkout embedded data.dvc "
                        "and run dvc repro")
    if mirror is not None and (mirror / source.host_path).exists():
        return _checked(mirror / source.host_path, source,
                        "replace it in the mirror, or unset PRN_MIRROR to fetch it")
    return _download(source.url, cache / source.host_path, f"sha256:{source.sha256}", mirror,
                     f"{source.dataset}: {Path(source.host_path).name}")


def _checked(path, source, remedy):
    if not path.exists():
        raise SourceError(f"{source.dataset}: {path} is missing; {remedy}")
    found = sha256(path)
    if found != source.sha256:
        raise SourceError(f"{source.dataset}: {path} is altered: sha256 expected {source.sha256}, "
                          f"found {found}; {remedy}")
    return path


def _download(url, path, known_hash, mirror, label, progressbar=False):
    """Fetch with pooch: to a temporary name, hash checked, then moved into place."""
    import pooch  # slow to import, and most runs download nothing

    partial = path.with_name(f"{path.name}.partial")  # one name, which the next run overwrites after a kill
    download = pooch.HTTPDownloader(progressbar=progressbar, timeout=TIMEOUT)
    algorithm, expected = known_hash.split(":")
    where = f" It is not in PRN_MIRROR={mirror} either." if mirror else ""
    reason = None
    for _ in range(TRIES):
        try:
            if not path.exists() or pooch.file_hash(path, alg=algorithm) != expected:
                path.parent.mkdir(parents=True, exist_ok=True)
                download(url, partial, None)
                if (found := pooch.file_hash(partial, alg=algorithm)) != expected:
                    raise ValueError(f"{algorithm} expected {expected}, found {found}")
                os.replace(partial, path)
            return path
        except ValueError as error:
            raise SourceError(
                f"{label}: {url} does not have the registered hash ({error}). The server's file "
                "has changed or the transfer was cut; run again, or put the right file into a "
                f"mirror and set PRN_MIRROR.{where}") from error
        except Exception as error:  # requests raises many kinds; all mean: not fetched
            if getattr(error, "errno", None) in DISK:
                raise SourceError(f"{label}: {path} could not be written ({error}); files already "
                                  "fetched are kept") from error
            reason = error
        finally:
            partial.unlink(missing_ok=True)
    if "Max retries" in str(reason):  # 500 characters that say no more
        reason = f"no connection to {urlsplit(url).hostname}"
    raise SourceError(
        f"{label}: {url} could not be fetched ({reason}).{where} Put it under "
        "DIR/host/path of its URL and set PRN_MIRROR=DIR (an absolute path), use folders of your own "
        "(local in params.yaml), or run again when there is a network: files already fetched are kept")


def _voc2012(cache, mirror):
    """The images of the official archive, unpacked once into the cache."""
    import pooch

    host_path = VOC2012_URL.split("://", 1)[-1]
    unpacked = cache / "voc2012"
    done = unpacked / "complete"
    if not done.exists():
        archive = mirror / host_path if mirror is not None else cache / host_path
        if archive.exists() and pooch.file_hash(str(archive), alg="md5") != VOC2012_MD5:
            raise SourceError(f"voc2012: {archive} is altered: md5 expected {VOC2012_MD5}; "
                              "delete it and run again")
        if not archive.exists():
            archive = _download(VOC2012_URL, cache / host_path, f"md5:{VOC2012_MD5}", mirror,
                                "voc2012", progressbar=True)
        unpacked.mkdir(parents=True, exist_ok=True)
        with tarfile.open(archive) as tar:
            for member in tar:
                if member.isfile() and "/JPEGImages/" in member.name:
                    with open(unpacked / Path(member.name).name, "wb") as file:
                        shutil.copyfileobj(tar.extractfile(member), file)
        done.touch()
    images = sorted(unpacked.glob("*.jpg"))
    if not images:
        raise SourceError(f"voc2012: {unpacked} holds no image; delete it and run again")
    return [(path, path.name) for path in images]


def _local_images(name, folder, scale):
    """A folder of the user has no hashes: each image is read, so that a bad one stops here."""
    try:
        images = list_images(folder.expanduser())
        for path in images:
            read_for(path, scale) if scale else read(path)
    except (FileNotFoundError, ValueError, RuntimeError) as error:
        raise SourceError(f"local.{name}: {error}") from error
    return images


def _fill(folder, files):
    """Make `folder` hold exactly these files; it appears whole or not at all."""
    names = [name for _, name in files]
    if len(set(names)) < len(names):
        raise SourceError(f"{folder.name}: two images have the same name")
    partial = folder.with_name(folder.name + ".partial")
    for path in (partial, folder):
        shutil.rmtree(path, ignore_errors=True)
    partial.mkdir(parents=True)
    for path, name in files:
        shutil.copyfile(path, partial / name)
    os.replace(partial, folder)
