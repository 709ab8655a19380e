"""An engine inside of another asyncio program: a service that trades beside what else it does."""

import os
from collections.abc import Mapping
from pathlib import Path

from tradecore.ports.control_channel import ControlReply, ControlRequest
from tradecore_api.arming_file import armed_words
from tradecore_api.config import read
from tradecore_api.daemon import Daemon
from tradecore_api.state_dir import StateDir
from tradecore_api.summary import RunSummary
from tradecore_api.wiring import arming
from tradecore_api.wiring.runnable import runnable

_STOPPED = "stopped"
_AGREED = "agreed"


class EmbeddedEngine:
    """One engine of one account, from its lock to its summary, in the event loop of another program.

    It is the engine of `tradecore run`: with its journal, its lock, its heartbeat and its control socket, so
    that `tradecore status`, `pause` and `kill` reach it. Signals and the end of the process stay the
    program's. Engines of different accounts in one process do not see each other. A strategy that does not
    come back holds the whole loop.

    Parameters
    ----------
    config : path or mapping
        A TOML file, or the same as nested mappings; relative paths of a mapping start where the process is.

    Raises
    ------
    ConfigError, DataError
        When it cannot be used; names each key.
    """

    def __init__(self, config: str | os.PathLike[str] | Mapping[str, object]) -> None:
        if isinstance(config, Mapping):
            loaded = read.from_tree(dict(config), "configuration of the program", environment={})
        else:
            loaded = read.load(Path(config))
        self._config = loaded = runnable(loaded)
        self.account = loaded.tables.account.name
        # Where its engine has it, wherever the environment says that others are.
        self._state = StateDir(self.account)
        self._daemon = Daemon(loaded, owns_process=False)

    def arm(self, person: str) -> str:
        """Arm a live configuration as it is now, as `tradecore arm` does; return what was armed, in a line.

        `run` refuses a live configuration that nobody armed, or that is not as it was armed. So a program
        that arms its engine each time it starts lets every change of its strategies trade.

        Raises
        ------
        ConfigError
            When it is not of live mode, or a strategy, a key or a host of it cannot be used.
        StorageError
            When it cannot be written.
        """
        return armed_words(arming.arm(self._config, person, self._state).arming)

    async def run(self) -> RunSummary:
        """Run until the data end or `stop` is called; return what happened. It can be run once.

        A task of it that is cancelled first ends the engine cleanly: positions and resting orders stay as
        they are, and the journal says so.

        Raises
        ------
        ConfigError
            When it is of live mode, and not armed as it is now.
        AlreadyRunningError
            When the account has a running engine, in this process or in another.
        VenueError, DataError, StorageError, StrategyError, BrokenInvariantError
            When venue, feed, disk, strategy or a promise of ours fails; the journal is kept.
        """
        return await self._daemon.serve()

    def stop(self) -> None:
        """Ask for a clean end; may be called from any thread, and twice."""
        self._daemon.stop(_STOPPED)

    async def tell(self, request: ControlRequest) -> ControlReply:
        """Do what an operator asks for, such as `Pause()`, `Flatten()` or `Kill()`, and say what came of it.

        A command is durable before the answer. A kill survives restarts, as `tradecore kill` does.

        Raises
        ------
        InvalidValueError
            When it cannot be carried out.
        VenueError
            When the engine is ending.
        """
        return await self._daemon.answer(request)

    def status(self) -> dict[str, object]:
        """Return what `tradecore status --json` has under `engine`; nothing before it runs.

        Money and sizes are exact decimals as text, times ISO 8601 or UTC nanoseconds.
        """
        return self._daemon.status()

    @property
    def is_ready(self) -> bool:
        """Whether it runs and may take new risk: not paused, not killed, and live every venue agrees."""
        said = self.status()
        several = said.get("venues")
        lines = [said.get("venue"), *(several.values() if isinstance(several, Mapping) else ())]
        is_agreed = all(not isinstance(line, Mapping) or line.get("step") == _AGREED for line in lines)
        is_free = not (said.get("is_paused") or said.get("is_killed"))
        return said.get("phase") == "running" and is_agreed and is_free
