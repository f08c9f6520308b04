"""The tool for people: ``python -m pipeline upscale IN OUT``."""

import signal
import sys
import warnings

from pipeline.upscale import cli


def stop(signum, _):
    """As Ctrl-C: files in the making are removed on the way out."""
    raise KeyboardInterrupt(signum)


if __name__ == "__main__":
    for name in ("SIGTERM", "SIGHUP"):
        if signal.getsignal(getattr(signal, name, signal.SIGINT)) == signal.SIG_DFL:  # nohup ignores one
            signal.signal(getattr(signal, name), stop)
    sys.stdout.reconfigure(errors="backslashreplace")  # a file's name may be in another encoding
    warnings.simplefilter("ignore")  # of decoders, about odd metadata
    cli.main()
