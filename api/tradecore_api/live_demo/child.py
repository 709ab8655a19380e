"""A `tradecore` command as a process of ours, which never outlives us."""

import os
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from tradecore.domain.errors import VenueError
from tradecore.domain.quoted import printable
from tradecore_api.config.overrides import ENVIRONMENT_PREFIX
from tradecore_api.state_dir import ENVIRONMENT_NAME

# Names a transport of control sockets and no setting.
_KEPT = frozenset({"TRADECORE_CONTROL"})
_LINES_TOLD = 3
_POLL_SECONDS = 0.02
# Windows: a process group of its own.
_NEW_GROUP = 0x200


class Child:
    """A command in a folder; what it says goes to files there.

    Parameters
    ----------
    name : str
        Names the process in messages, and its files.
    folder : Path
        Where it runs; state directories of engines are in `state` there.
    arguments : str
        Its command line, without the name of the program.
    """

    def __init__(self, name: str, folder: Path, *arguments: str) -> None:
        self.name = name
        self.is_killed = False
        self._output, self._talk = folder / f"{name}.out", folder / f"{name}.err"
        with self._output.open("wb") as output, self._talk.open("ab") as talk:
            self._process = _started(folder, arguments, output, talk)

    @property
    def pid(self) -> int:
        """Number of the process."""
        return self._process.pid

    @property
    def is_running(self) -> bool:
        """Whether it has not ended."""
        return self._process.poll() is None

    def require(self) -> None:
        """Raise `VenueError` when it has ended by itself, with the last that it said."""
        if not self.is_running and not self.is_killed:
            lines = self._talk.read_text(errors="replace").splitlines()[-_LINES_TOLD:]
            said = f"; it said last: {' / '.join(map(printable, lines))}" if lines else ""
            raise VenueError(f"the {self.name} ended by itself with exit code {self._process.poll()}{said}")

    def kill(self) -> None:
        """End it at once, as a power cut does."""
        self.is_killed = True
        self._process.kill()
        self._process.wait()
        self._let_go()

    def end(self, seconds_max: float) -> bool:
        """End it cleanly; tell whether that was within so long. Otherwise it is killed."""
        self._let_go()
        deadline = time.monotonic() + seconds_max
        while self.is_running and time.monotonic() < deadline:
            time.sleep(_POLL_SECONDS)
        if self.is_running:
            self.kill()
            return False
        return True

    def output(self) -> bytes:
        """Return what it has written to standard output."""
        return self._output.read_bytes()

    def _let_go(self) -> None:
        if self._process.stdin is not None:
            with suppress(OSError):
                self._process.stdin.close()


def _started(
    folder: Path, arguments: tuple[str, ...], output: BinaryIO, talk: BinaryIO
) -> subprocess.Popen[bytes]:
    """Start a command; settings of our own environment are none of its."""
    environment = {
        name: value
        for name, value in os.environ.items()
        if name in _KEPT or not name.startswith(ENVIRONMENT_PREFIX)
    }
    return subprocess.Popen(  # noqa: S603 - our own interpreter and our own words
        [sys.executable, "-m", "tradecore_api.tethered", *arguments],
        cwd=folder,
        env={**environment, ENVIRONMENT_NAME: str(folder / "state")},
        stdin=subprocess.PIPE,
        stdout=output,
        stderr=talk,
        # Ctrl-C in a terminal reaches the program alone: it ends its processes in their order.
        start_new_session=True,
        creationflags=_NEW_GROUP if sys.platform == "win32" else 0,
    )
