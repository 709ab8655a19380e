"""Starts processes with the library that lets calls fail, side by side, and reads what they have tried."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import msgspec

from promises.errnos.server import Served
from promises.part import Asked
from support.preloaded import build


def serve_beside(what: str, size: int, asked: Asked) -> list[Served]:
    """Try so many calls in as many processes as are asked for: `fail` lets them fail, `kill` kills there."""
    with tempfile.TemporaryDirectory(prefix="tradecore-errnos-") as place:
        environment = {**os.environ, "LD_PRELOAD": str(build("failing_calls", Path(place)))}
        processes = []
        for share in range(asked.jobs):
            own = size // asked.jobs + (share < size % asked.jobs)
            command = [sys.executable, "-m", "promises.errnos.server", what, str(asked.seed), str(share)]
            command += [str(asked.jobs), str(own), str(asked.seconds_max)]
            processes.append(subprocess.Popen(command, env=environment, stdout=subprocess.PIPE))
        return [_served(process) for process in processes]


def _served(process: subprocess.Popen[bytes]) -> Served:
    with process:
        assert process.stdout is not None
        return msgspec.json.decode(process.stdout.read(), type=Served)
