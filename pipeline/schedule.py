"""Run commands, several at once, until a limit: small trainings share one GPU."""

import subprocess
import time


def run(names, command, at_once, minutes, logs):
    """Run one command for each name, in order, at most `at_once` together.

    Parameters
    ----------
    names : sequence of str
    command : callable
        (name, minutes left) to the list of words of a command that stops by itself in that time.
    at_once : int
    minutes : float
        No command is started later.
    logs : Path
        A folder for NAME.log.

    Returns
    -------
    dict of str to str
        "finished", "stopped" (at the limit, or failed: its log says which) or "not started".
    """
    start = time.monotonic()
    waiting, running = list(names), {}
    outcome = dict.fromkeys(names, "not started")
    while waiting or running:
        left = minutes - (time.monotonic() - start) / 60
        while waiting and len(running) < at_once and left > 0:
            name = waiting.pop(0)
            log = open(logs / f"{name}.log", "a")
            running[name] = subprocess.Popen(command(name, left), stdout=log, stderr=log), log
        if left <= 0:
            waiting.clear()
        for name, (process, log) in list(running.items()):
            if process.poll() is not None:
                log.close()
                outcome[name] = "stopped" if process.returncode else "finished"
                del running[name]
        time.sleep(0.2)
    return outcome
