"""Command line of the tool: arguments, one image or a folder of them, errors as one line.

What takes time to import (torch above all) is imported after the arguments are read.
"""

import argparse
import hashlib
import json
import logging
import sys
from contextlib import ExitStack
from pathlib import Path

SCALES = (2, 3, 4)
GAMMAS = {"squared_both": (15.3, 45.6), "l1": (10, 30)}  # the same shares of patches, of BSDS200 at x4
PUBLISHED = Path(__file__).parents[2] / "weights"
VARIANT = "prn"  # the best of the published ones
NO_MEMORY = ("can't allocate", "not enough memory", "bad_alloc", "failed to map segment",
             "could not create a primitive", "could not execute a primitive")  # of torch, oneDNN, the loader


def main(words=None):
    parser, args = arguments(words)
    logging.disable()  # tifffile's, on odd metadata
    try:
        failed = run_folder(args) if args.input.is_dir() else run(args)  # None: an image was written
    except KeyboardInterrupt as stop:  # Ctrl-C, or a signal whose number it carries
        parser.exit(128 + (stop.args or [2])[0], "upscale: stopped; no unfinished file is left\n")
    except Exception as error:
        message = one_line(error, args.input)
        if message is None:
            raise
        parser.exit(1, f"upscale: {message}\n")
    if failed:
        parser.exit(1, f"upscale: {failed} not enlarged\n")


def one_line(error, path):
    """What an error that a user can do something about says; None for another, which is a bug."""
    reason = str(error).split("\n")[0]
    if isinstance(error, MemoryError) or isinstance(error, (RuntimeError, ImportError)) and (
            "OutOfMemory" in type(error).__name__ or any(words in str(error) for words in NO_MEMORY)):
        return f"{path}: not enough memory; cut the image into parts"
    return reason if isinstance(error, (ValueError, OSError, ImportError)) else None


def arguments(words):
    """The parser of the tool, and what it read."""
    parser = argparse.ArgumentParser(prog="python -m pipeline", description="PRN for people.")
    commands = parser.add_subparsers(required=True, metavar="upscale")
    tool = commands.add_parser("upscale", help="enlarge an image, or a folder of images",
                               description="Enlarge an image with the published PRN.")
    tool.add_argument("input", type=path, metavar="IN",
                      help="PNG, TIFF or JPEG; grey or RGB, alpha or not, 8 or 16 bits; or a folder of them")
    tool.add_argument("output", type=path, metavar="OUT",
                      help=".png, .tif, .tiff, .jpg or .jpeg; for a folder, another folder")
    tool.add_argument("--scale", type=int, choices=SCALES, default=4, help="(4)")
    tool.add_argument("--borders", choices=["context", "paper"], default="context",
                      help="of the patches: context (no seams), or zeros as in the paper")
    tool.add_argument("--norm", choices=GAMMAS, default="squared_both",
                      help="of the gradient: squared_both (both axes: the better router), or l1 of Eq. 1")
    tool.add_argument("--gamma-low", type=float, help="Eq. 2; up to it a patch is mild (15.3; of l1 10)")
    tool.add_argument("--gamma-upper", type=float, help="Eq. 2; from it on severe (45.6; of l1 30)")
    tool.add_argument("--routes", type=path, metavar="MAP.png",
                      help="picture of the routes: mild orange, moderate blue, severe black")
    tool.add_argument("--weights", type=path, metavar="FILE", help="instead of the published ones; the .json beside it says how PRN was built")
    tool.add_argument("--device", choices=["cpu", "cuda"], help="(cuda if there is one)")
    args = parser.parse_args(words)
    low, upper = GAMMAS[args.norm]
    args.gamma_low = low if args.gamma_low is None else args.gamma_low
    args.gamma_upper = upper if args.gamma_upper is None else args.gamma_upper
    if not args.gamma_low < args.gamma_upper:
        tool.error(f"--gamma-low {args.gamma_low:g}: must be below --gamma-upper, "
                   f"which is {args.gamma_upper:g}")
    return tool, args


def path(word):
    """A path, of which ~ is a home."""
    try:
        return Path(word).expanduser()
    except RuntimeError as error:
        raise argparse.ArgumentTypeError(f"{word}: {error}; write the folder out") from error


def run_folder(args):
    """Enlarge the images of a folder into another, by their names, each with a line; how many failed."""
    from pipeline.upscale import files

    if args.routes:
        raise ValueError(f"{args.routes}: --routes is for one image; give one instead of a folder")
    if args.output.resolve() == args.input.resolve():
        raise ValueError(f"{args.output}: IN and OUT must be different folders")
    every = sorted(p for p in args.input.iterdir() if not p.name.startswith("."))
    images = [p for p in every if p.suffix.lower() in files.SUFFIXES and p.is_file()]
    if not images:
        raise ValueError(f"{args.input}: no image there; expected {', '.join(files.SUFFIXES)}")
    net = network(args.weights, args.scale, args.device)
    args.output.mkdir(exist_ok=True)
    failed = 0
    for source in every:
        try:
            if source not in images:
                raise ValueError(f"{source}: not one of {', '.join(files.SUFFIXES)}; left out")
            output = args.output / source.name
            say(enlarge(net, read(source, output, args), output, args))
        except Exception as error:
            message = one_line(error, source)
            if message is None:
                raise
            failed += 1
            sys.stderr.write(f"upscale: {message}\n")
    return failed


def run(args):
    """Enlarge one image."""
    from pipeline.upscale import files

    outputs = [args.output, *([args.routes] if args.routes else [])]
    if len({p.resolve() for p in [args.input, *outputs]}) <= len(outputs):
        raise ValueError(f"{args.output}: IN, OUT and MAP.png must be different files")
    for output in outputs:
        files.check_name(output)
    picture = read(args.input, args.output, args)
    say(enlarge(network(args.weights, args.scale, args.device), picture, args.output, args, args.routes))


def read(source, output, args):
    """The image, if its enlargement can be written."""
    from pipeline.upscale import files

    picture = files.read(source)
    h, w, channels = picture.pixels.shape
    files.check_name(output)
    files.check_shape(output, (h * args.scale, w * args.scale, channels), picture.pixels.dtype)
    if args.routes:
        files.check_shape(args.routes, (h, w, 3), "uint8")
    return picture


def enlarge(net, picture, output, args, drawing=None):
    """Enlarge and write an image, and its map of routes; what was written, in a line."""
    import numpy as np
    from tqdm import tqdm

    from pipeline.sr.routing import Routing
    from pipeline.upscale import bands, files

    pixels, (h, w, channels) = picture.pixels, picture.pixels.shape
    large = np.empty((h * net.scale, w * net.scale, channels), pixels.dtype)
    with ExitStack() as stack:  # opened before the work: a folder that cannot be written to ends it
        image, *chart = [stack.enter_context(files.replacing(p)) for p in (output, drawing) if p]
        routes, y = [], 0
        found = bands.bands(net, pixels, Routing(args.gamma_low, args.gamma_upper, args.norm), args.borders)
        for band, row in tqdm(found, total=bands.count(pixels.shape, net.scale), unit="band", leave=False,
                              disable=None):  # None: no terminal
            large[y:y + len(band)] = band
            routes.append(row)
            y += len(band)
        routes = np.concatenate(routes)
        files.write(image, output.suffix, files.Picture(large, picture.profile))
        for file in chart:
            files.write(file, drawing.suffix, files.Picture(bands.route_map(pixels, routes, net.scale)))
    shares = ", ".join(f"{(routes == route).mean():.0%} {name}"
                       for route, name in enumerate(("mild", "moderate", "severe")))
    return f"{output}: {large.shape[1]} x {large.shape[0]} pixels, x{net.scale}; patches {shares}"


def say(line):
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def network(path, scale, device):
    """PRN with the published weights, or with those of a file.

    Raises
    ------
    ValueError
        None are published, the file is not the one that was, or does not fit the network.
    """
    import torch

    from pipeline.engine.fused import Fused
    from pipeline.models import build, weights

    if path is None:
        path, index = PUBLISHED / f"{VARIANT}.safetensors", PUBLISHED / "published.json"
        digest = json.loads(index.read_text(encoding="utf-8")).get(VARIANT) if index.exists() else None
        if digest is None:
            raise ValueError(f"{path}: no weights are published; train them with make reproduce and "
                             f"give --weights artifacts/embedded/models/{VARIANT}.safetensors")
        if not path.exists() or hashlib.sha256(path.read_bytes()).hexdigest() != digest:
            raise ValueError(f"{path}: not the published file; restore it with git checkout weights")
    device = device or ("cuda" if torch.cuda.is_available() else "cpu")
    try:
        told = path.with_suffix(".json")  # beside weights of the pipeline
        options = json.loads(told.read_text(encoding="utf-8")).get("options", {}) if told.exists() else {}
        model = weights.load(build("prn", SCALES, **options), path)
    except (TypeError, json.JSONDecodeError) as error:
        raise ValueError(f"{told}: not of a PRN ({error}); give weights of one, or remove it") from error
    except UnicodeError as error:
        raise ValueError(f"--weights {path}: the name is not UTF-8; rename it") from error
    try:
        return Fused(model.to(device), scale)
    except (RuntimeError, AssertionError) as error:  # torch names a device that is not there
        raise ValueError(f"--device {device}: {str(error).splitlines()[0]}") from error
