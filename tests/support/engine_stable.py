"""Runs `tradecore` commands as processes that are forked from a warm one: a start costs no imports.

Reads a line of JSON for each command and answers with its process, and later with its exit code.
"""

import json
import os
import select
import sys
from pathlib import Path

from tradecore_api import account_socket
from tradecore_api.cli import main
from tradecore_api.commands import arm, journal, run  # noqa: F401 - warm
from tradecore_api.config import read
from tradecore_api.wiring import venue_claims
from tradecore_api.wiring.runnable import runnable
from tradecore_local import client, market_feed  # noqa: F401 - warm


def command(asked):
    """Be the process of a command; does not return."""
    os.setsid()
    os.chdir(asked["folder"])
    os.environ.update(asked["environment"])
    log = os.open(asked["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for number in (1, 2):
        os.dup2(log, number)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    if asked["alone"]:
        # As on another machine: a name in the kernel of this one says nothing there.
        account_socket.is_known_here = lambda: False
    code = 99
    try:
        program, *rest = asked["arguments"]
        if program == "fence":
            # The first step of a take-over, by one that cannot end the other process.
            venue_claims.fence_others(runnable(read.load(Path(rest[0]))))
            code = 0
        else:
            code = main(asked["arguments"])
    except SystemExit as end:
        code = end.code
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(int(code or 0))


def serve():
    """Start what is asked for until nobody asks any more."""
    waiting = b""
    while True:
        readable, _, _ = select.select([0], [], [], 0.01)
        if readable:
            data = os.read(0, 1 << 16)
            if not data:
                return
            waiting += data
            *lines, waiting = waiting.split(b"\n")
            for line in lines:
                asked = json.loads(line)
                pid = os.fork()
                if pid == 0:
                    command(asked)
                print(json.dumps({"number": asked["number"], "pid": pid}), flush=True)
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            continue
        if pid:
            print(json.dumps({"ended": pid, "code": os.waitstatus_to_exitcode(status)}), flush=True)


if __name__ == "__main__":
    serve()
