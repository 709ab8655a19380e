"""Engines that something holds, to be told to end."""

import os
import signal
import time
from contextlib import suppress

from support.command_line import PAPER, CommandLine

SECONDS_MAX = 5.0
# What the machine may take for the end of a process that was told to end.
SLACK_SECONDS = 0.4
CALLBACK = '''
import atexit
import re
import sys
import threading
import time
from pathlib import Path


def say():
    """Let the test know that it is held now."""
    Path("held").touch()


{top}


class Held:
    """Does at its tenth trade what holds the process."""

    seen: int = 0

    def on_trade(self, ctx, trade):
        """Buy, and then hold."""
        self.seen += 1
        if self.seen < 5:
            ctx.buy(quantity=0.001)
        if self.seen == 10:
            {hold}
'''
# The interpreter lock is held by C code that asks for nothing.
REGEX = 're.match("(a*)*b", "a" * 60)'


class Held:
    """An engine of an account of its own that something holds."""

    def __init__(self, folder, strategy, options=()):
        folder.mkdir()
        self.shell = CommandLine(folder)
        self.shell.write("held.py", strategy)
        config = PAPER[: PAPER.index("[strategy]")] + '[strategy]\nclass = "held.py:Held"\n'
        paced = config.replace("virtual = true", "virtual = false")
        self.shell.write("paper.toml", paced.replace("seconds = 5", "seconds = 90"))
        self.journal = folder / "state" / "one" / "engine.journal"
        self.sign = folder / "held"
        self.options = options
        self.process = None

    def start(self):
        """Start it; nobody reads what it says."""
        self.process = self.shell.start("run", "paper.toml", *self.options, start_new_session=True)

    def wait_until_held(self):
        """Wait until it says that it is held."""
        end = time.monotonic() + 30
        while not self.sign.exists():
            assert self.process.poll() is None, self.process.communicate()
            assert time.monotonic() < end, self.shell.folder
            time.sleep(0.05)

    def kill(self):
        """Leave nothing behind."""
        for stream in (self.process.stdout, self.process.stderr):
            stream.close()
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


def seconds_until_ended(processes, number=signal.SIGTERM):
    """Send a signal to all and return how long each lived on; one that does not end counts as endless."""
    start = time.monotonic()
    for process in processes.values():
        process.send_signal(number)
    lived = {}
    while len(lived) < len(processes) and time.monotonic() - start < 15:
        for name, process in processes.items():
            if name not in lived and process.poll() is not None:
                lived[name] = time.monotonic() - start
        time.sleep(0.02)
    return {name: lived.get(name, float("inf")) for name in processes}
