"""The live demo from its first process to the comparison of books and venue."""

import random
import time
from pathlib import Path

import msgspec

from tradecore.testkit.local_venue.comparison import Comparison
from tradecore_api.live_demo import settings
from tradecore_api.live_demo.pair import Answer, Pair, standing_of
from tradecore_api.live_demo.view import LiveDemoView

# With faults an order in doubt takes several questions, each of which may be lost.
SETTLE_SECONDS_MAX = 40.0
# What Ctrl-C leaves for it.
HURRY_SECONDS_MAX = 3.0
# How long an engine trades before it is killed.
_KILL_SECONDS = (1.5, 4.0)


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What the demo came to.

    `comparison` is `None` where orders were still open or in doubt when the time for that was over. `faults`
    are those of the venue on purpose, by kind and place. `engine` is what the last engine summed up.
    """

    seconds: float
    kills: int
    faults: dict[str, int]
    comparison: Comparison | None
    engine: dict[str, object]
    is_interrupted: bool

    @property
    def is_good(self) -> bool:
        """Whether nothing differs and the journal is whole; Ctrl-C may leave nothing to compare."""
        is_same = self.is_interrupted if self.comparison is None else self.comparison.is_same
        # An engine that is ended before it has begun sums nothing up.
        return is_same and self.engine.get("journal_verified", self.is_interrupted) is True


class LiveDemo:
    """A venue and an engine as processes, shown while they trade.

    Parameters
    ----------
    folder : Path
        An empty one for their files; its owner removes it.
    journal : str
        Where the journal of the engine goes.
    seed : int
        Decides the agents, what goes wrong and when the engine is killed.
    seconds : float
        How long they trade.
    has_chaos : bool
        Let things go wrong at the venue, and kill the engine again and again.
    view : LiveDemoView
        Shows what happens.
    """

    def __init__(
        self, folder: Path, journal: str, *, seed: int, seconds: float, has_chaos: bool, view: LiveDemoView
    ) -> None:
        arguments = settings.write(folder, seed=seed, has_faults=has_chaos, journal=journal)
        self._pair = Pair(folder, arguments, self._show)
        self._seconds = seconds
        self._until = 0.0
        self._view = view
        self._kills = 0
        # A generator of its own, so that a seed kills at the same times whatever else is drawn.
        self._chance = random.Random(seed) if has_chaos else None  # noqa: S311 - no secret: a demo
        self._is_interrupted = False
        # What the venue says that it did; empty where nobody could ask it at rest.
        self.venue_log = b""

    def interrupt(self) -> None:
        """End it early, and cleanly; may be called by a signal handler."""
        self._is_interrupted = True

    def run(self) -> Outcome:
        """Start both, let them trade, end both; compare what they have.

        Raises
        ------
        VenueError
            When a process ends that was not told to, or does not start. Nothing is left running.
        """
        began = time.monotonic()
        self._until = began + self._seconds
        with self._pair as pair:
            pair.start_venue()
            self._view.say(f"armed {pair.arm('demo')}")
            pair.start_engine()
            self._trade()
            self._view.say("the engine takes no new risk, cancels its orders and closes its positions")
            said = pair.settled(self._seconds_left)
            summary = pair.end_engine()
            comparison = None
            if said is not None:
                truth = pair.truth()
                comparison = pair.compared(truth, said)
                self.venue_log = msgspec.json.encode(truth)
            faults = pair.end_venue()
        return Outcome(
            seconds=round(time.monotonic() - began, 1),
            kills=self._kills,
            faults=faults,
            comparison=comparison,
            engine=summary,
            is_interrupted=self._is_interrupted,
        )

    def _trade(self) -> None:
        """Let the engine trade; with chaos it is killed at random times, and starts again."""
        kill_at: float | None = None
        while time.monotonic() < self._until and not self._is_interrupted:
            said = self._pair.look()
            if kill_at is None and said is not None and standing_of(said).is_agreed:
                kill_at = self._next_kill()
            elif kill_at is not None and time.monotonic() >= kill_at:
                pid = self._pair.kill_engine()
                self._kills += 1
                self._view.say(f"engine {pid} was killed; the next one reads its journal and asks the venue")
                self._pair.start_engine()
                kill_at = None

    def _next_kill(self) -> float:
        if self._chance is None:
            return float("inf")
        at = time.monotonic() + self._chance.uniform(*_KILL_SECONDS)
        # One that is killed at the very end would show nothing.
        return at if at < self._until - 1 else float("inf")

    def _show(self, said: Answer | None) -> None:
        self._view.show(said, left=max(self._until - time.monotonic(), 0.0), kills=self._kills)

    def _seconds_left(self) -> float:
        return HURRY_SECONDS_MAX if self._is_interrupted else SETTLE_SECONDS_MAX
