"""A desk that looks at its engine without a process for each look, so that tests of processes stay quick."""

import contextlib
from pathlib import Path

import msgspec

from support.desk import Desk
from tradecore_api import state_dir
from tradecore_api.standing import look


class NearDesk(Desk):
    """A desk whose own process asks the engine; commands are processes still.

    Parameters
    ----------
    directory : Path
        Where everything goes.
    monkeypatch : pytest.MonkeyPatch
        Tells this process where the state directory is.
    """

    def __init__(self, directory, monkeypatch, more="") -> None:
        super().__init__(directory, more)
        monkeypatch.setenv(state_dir.ENVIRONMENT_NAME, self.environment[state_dir.ENVIRONMENT_NAME])

    def status(self):
        """Return what `tradecore status one --json` would print."""
        return msgspec.to_builtins(look("one"))

    def engine(self):
        """Return what the running engine says about itself."""
        return self.status()["engine"]

    def resident(self, process):
        """Return the files that a process has open, by descriptor; one closed meanwhile is left out."""
        found = {}
        for entry in Path(f"/proc/{process.pid}/fd").iterdir():
            with contextlib.suppress(FileNotFoundError):
                found[int(entry.name)] = str(entry.readlink())
        return found
