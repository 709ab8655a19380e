"""A local venue and a live engine as processes: started, killed, ended, and compared."""

import time
from collections.abc import Callable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Self

import msgspec

from tradecore.domain.commands import Command, Flatten, Pause
from tradecore.domain.errors import TradecoreError, VenueError
from tradecore.domain.journal import JournalFolder
from tradecore.ports.control_channel import Status
from tradecore.testkit.local_venue.comparison import Comparison, Truth, compare
from tradecore_api.arming_file import armed_words
from tradecore_api.config import read
from tradecore_api.config.tables import Config
from tradecore_api.control import client
from tradecore_api.live_demo.child import Child
from tradecore_api.state_dir import StateDir
from tradecore_api.wiring import arming, local_venue

TICK_SECONDS = 0.25
START_SECONDS_MAX = 20.0
END_SECONDS_MAX = 2.0
ANSWER_SECONDS_MAX = 1.0
KEYS = "venue-keys.json"
ENGINE = "engine.toml"


class There(msgspec.Struct, frozen=True):
    """How the line to the venue stands."""

    step: str
    unknown: int
    open_orders: int


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """What is read of an engine's answer to `status`."""

    orders: int
    open_orders: int
    cash: Decimal
    positions: dict[str, Decimal]
    venue: There

    @property
    def is_agreed(self) -> bool:
        """Whether books and venue agree."""
        return self.venue.step == "agreed"

    @property
    def is_settled(self) -> bool:
        """Whether besides no order is open or in doubt, and nothing is held."""
        is_open = self.open_orders or self.venue.unknown or self.venue.open_orders
        return self.is_agreed and not is_open and not any(self.positions.values())


Answer = dict[str, object]


def standing_of(said: Answer) -> Standing:
    """Read an engine's answer to `status`."""
    return msgspec.convert(said, Standing)


class Pair:
    """A venue and an engine in one folder, as `engine.toml` there and the arguments of the venue say.

    To be used as a context: at its end both are gone, whatever happened.

    Parameters
    ----------
    folder : Path
        Where their files are; the venue writes its keys to `venue-keys.json`. The engine trades at the venue
        for an account of its own name, and has the markets of the venue as its instruments, in that order.
    venue_arguments : sequence of str
        What the venue is started with beside port and keys.
    on_look : callable
        Is shown each answer of the engine, `None` while it does not answer.
    end_seconds_max : float
        How long an engine or a venue may take for its end.
    """

    def __init__(
        self,
        folder: Path,
        venue_arguments: Sequence[str],
        on_look: Callable[[Answer | None], None],
        *,
        end_seconds_max: float = END_SECONDS_MAX,
    ) -> None:
        self._folder = folder
        self._venue_arguments = ("venue", "serve", "--port", "0", "--keys", KEYS, "--json", *venue_arguments)
        self._on_look = on_look
        self._end_seconds_max = end_seconds_max
        self._children: dict[str, Child] = {}
        self._config: Config | None = None

    def __enter__(self) -> Self:
        """Start nothing yet."""
        return self

    def __exit__(self, *_: object) -> None:
        """End the engine, then the venue."""
        for name in ("engine", "venue"):
            if (child := self._children.pop(name, None)) is not None:
                child.end(self._end_seconds_max)

    @property
    def config(self) -> Config:
        """What the engine runs with; to be read once the venue has made keys."""
        if self._config is None:
            self._config = read.load(self._folder / ENGINE, environment={})
        return self._config

    @property
    def journal(self) -> JournalFolder:
        """The journal of the engine."""
        return JournalFolder(self.config.tables.journal.path or "")

    def pids(self) -> dict[str, int]:
        """Return the numbers of the processes that run, by `venue` and `engine`."""
        return {name: child.pid for name, child in self._children.items()}

    def start_venue(self) -> None:
        """Start the venue and wait until it listens; raises `VenueError` when it does not."""
        self._children["venue"] = Child("venue", self._folder, *self._venue_arguments)
        self.wait((self._folder / KEYS).exists, "the venue has not started")

    def arm(self, person: str) -> str:
        """Arm the engine at the venue that has started; return what was armed, in a line."""
        return armed_words(arming.arm(self.config, person, self._state()).arming)

    def start_engine(self) -> None:
        """Start the engine, without waiting for it."""
        self._children["engine"] = Child("engine", self._folder, "run", ENGINE, "--json")

    def kill_engine(self) -> int:
        """Kill the engine as a power cut does; return the number of its process."""
        engine = self._children.pop("engine")
        engine.kill()
        return engine.pid

    def look(self) -> Answer | None:
        """Ask the engine how it stands, show it and wait a moment.

        Raises `VenueError` when a process has ended that was not told to.
        """
        for child in self._children.values():
            child.require()
        said = self._ask()
        self._on_look(said)
        time.sleep(TICK_SECONDS)
        return said

    def wait(self, is_so: Callable[[], bool], otherwise: str) -> None:
        """Look until something is so; raises `VenueError` when that takes too long."""
        deadline = time.monotonic() + START_SECONDS_MAX
        while not is_so():
            if time.monotonic() >= deadline:
                raise VenueError(f"{otherwise} within {START_SECONDS_MAX:g} s")
            self.look()

    def settled(self, seconds_max: Callable[[], float]) -> Answer | None:
        """Take no new risk, close everything and wait until nothing is open or in doubt.

        `seconds_max` says again and again how long that may take, with the start of an engine that does not
        answer yet; nothing is returned where it took longer.
        """
        began = time.monotonic()
        is_told = False
        while time.monotonic() < began + seconds_max():
            is_told = is_told or (self._tell(Pause()) and self._tell(Flatten()))
            said = self.look()
            if is_told and said is not None and standing_of(said).is_settled:
                return said
        return None

    def end_engine(self) -> Answer:
        """End the engine cleanly and return what it sums up; raises `VenueError` when it does not end."""
        engine = self._children.pop("engine")
        engine.require()
        if not engine.end(self._end_seconds_max):
            raise VenueError(f"the engine did not end within {self._end_seconds_max:g} s, and was killed")
        summary: Answer = msgspec.json.decode(engine.output() or b"{}")
        return summary

    def end_venue(self) -> dict[str, int]:
        """End the venue and return what went wrong there on purpose, and how often."""
        venue = self._children.pop("venue")
        venue.end(self._end_seconds_max)
        last = venue.output().strip().rpartition(b"\n")[2]
        faults: dict[str, int] = msgspec.json.decode(last or b"{}").get("faults", {})
        return faults

    def truth(self) -> Truth:
        """Return what the venue did."""
        return local_venue.truth(self._folder / KEYS, self.config.tables.account.name)

    def venue_tasks(self) -> int:
        """Return how many tasks the event loop of the venue has."""
        return local_venue.tasks(self._folder / KEYS, self.config.tables.account.name)

    def compared(self, truth: Truth, said: Answer) -> Comparison:
        """Compare the journal, and what the engine said last, with what the venue did."""
        standing = standing_of(said)
        return compare(
            self.journal,
            truth,
            account=self.config.tables.account.name,
            instruments=self.config.tables.instruments,
            positions=standing.positions,
            cash=standing.cash,
        )

    def _ask(self) -> Answer | None:
        """Return what the engine says of itself; nothing while it does not answer."""
        if "engine" not in self._children:
            return None
        try:
            return client.ask(self._state(), Status(), seconds_max=ANSWER_SECONDS_MAX).status or None
        except TradecoreError:
            return None

    def _tell(self, command: Command) -> bool:
        """Give the engine a command; tell whether it has taken it."""
        try:
            return client.ask(self._state(), command, seconds_max=ANSWER_SECONDS_MAX).accepted
        except TradecoreError:
            return False

    def _state(self) -> StateDir:
        return StateDir(self.config.tables.account.name, within=self._folder / "state")
