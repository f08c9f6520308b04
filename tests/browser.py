"""A headless Chromium, driven by its DevTools protocol over a pipe: the standard library alone."""

import base64
import fcntl
import json
import os
import shutil
import subprocess
from itertools import count
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
PLAYWRIGHT = os.environ.get("PLAYWRIGHT_BROWSERS_PATH") or Path.home() / ".cache" / "ms-playwright"


def find():
    """A Chromium on the PATH, or playwright's; None where there is none."""
    for name in NAMES:
        if path := shutil.which(name):
            return path
    return next((str(path) for path in sorted(Path(PLAYWRIGHT).glob("chromium*/*/*"))
                 if path.name in ("chrome", "chrome-headless-shell", "headless_shell")), None)


class Browser:
    """One page: `open`, `run` JavaScript, `call` any method of the protocol; `events` has what came by.

    A context manager, which ends the process.
    """

    def __init__(self, executable, profile):
        from_browser, ours = os.pipe()
        theirs, to_browser = os.pipe()

        def wire():  # the protocol is read from descriptor 3 and written to 4
            free = [fcntl.fcntl(end, fcntl.F_DUPFD, 100) for end in (theirs, ours)]  # either may be 3 or 4
            os.dup2(free[0], 3), os.dup2(free[1], 4)

        self._process = subprocess.Popen(
            [executable, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
             "--remote-debugging-pipe", f"--user-data-dir={profile}", "--no-first-run", "--hide-scrollbars",
             "--disable-background-networking", "--disable-component-update"],
            preexec_fn=wire, close_fds=False, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)
        os.close(theirs), os.close(ours)
        self._in, self._out = os.fdopen(to_browser, "wb", 0), os.fdopen(from_browser, "rb")
        self._ids, self._session, self._rest, self.events = count(1), None, b"", []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._process.kill()
        self._process.wait()
        self._in.close(), self._out.close()

    def call(self, method, **parameters):
        """Call a method of the protocol, and wait for its answer."""
        number = next(self._ids)
        message = {"id": number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        self._in.write(json.dumps(message).encode() + b"\0")
        while (answer := self._receive()).get("id") != number:
            self.events.append(answer)
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']['message']}")
        return answer["result"]

    def open(self, path, width=1280, height=900, *, dark=False, script=True):
        """Load a file, in a window of that size; ``events`` begins anew."""
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1,
                  mobile=width < 600)
        self.call("Emulation.setEmulatedMedia", features=[
            {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])
        self.call("Emulation.setScriptExecutionDisabled", value=not script)
        self.events.clear()
        self.call("Page.navigate", url=Path(path).resolve().as_uri())
        while not any(e.get("method") == "Page.loadEventFired" for e in self.events):
            self.events.append(self._receive())

    def run(self, script):
        """The value of an expression of JavaScript."""
        answer = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(answer["exceptionDetails"]["exception"]["description"])
        return answer["result"].get("value")

    def press(self, key, code, text=""):
        """Press and release a key, by its name, its virtual key code and what it types."""
        for kind in ("keyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code, text=text)

    def drag(self, start, end):
        """Move the mouse with its button down, between two points (x, y) of the window."""
        for kind, (x, y) in (("mousePressed", start), ("mouseMoved", end), ("mouseReleased", end)):
            self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", buttons=1, clickCount=1)

    def screenshot(self, path, whole=False):
        """Write what the window shows, or the whole page, as PNG."""
        answer = self.call("Page.captureScreenshot", captureBeyondViewport=whole)
        Path(path).write_bytes(base64.b64decode(answer["data"]))

    def pdf(self):
        """The page as printed: bytes of a PDF."""
        return base64.b64decode(self.call("Page.printToPDF", preferCSSPageSize=True)["data"])

    def _receive(self):
        while b"\0" not in self._rest:
            chunk = self._out.read1(1 << 20)
            if not chunk:
                raise RuntimeError("the browser has gone")
            self._rest += chunk
        message, self._rest = self._rest.split(b"\0", 1)
        return json.loads(message)
