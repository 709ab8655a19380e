"""What a run may have beside faults and kills: something happens, and a promise has to hold then."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import msgspec

from tradecore.domain.record_bodies import Body
from tradecore.ports.clock import Clock
from tradecore.proof.gear import Gear
from tradecore.proof.host import Host
from tradecore.proof.market import Market
from tradecore.proof.order_lives import OrderLives
from tradecore.proof.place import Place
from tradecore.proof.plan import Plan


class Finding(msgspec.Struct, frozen=True):
    """A promise that was broken, and how."""

    promise: str
    words: str


class Scene(msgspec.Struct, frozen=True, kw_only=True):
    """Where a trial takes place.

    Attributes
    ----------
    plan : Plan
        What the seed decides.
    clock : Clock
        Everybody's clock.
    place, market
        The venue, and its feed.
    mark : callable
        Takes a line for the story of the run.
    """

    plan: Plan
    clock: Clock
    place: Place
    market: Market
    mark: Callable[[str], None]


class Trial:
    """Puts one promise to the test in a run; this one does nothing.

    Parameters
    ----------
    promise : str
        Number of the promise.
    scene : Scene
        Where it takes place.

    Attributes
    ----------
    tried : int
        How often the promise was put to the test.
    findings : list of Finding
        How it was broken.
    is_ending : bool
        Whether the run takes no new risk any more, and ends once all is settled.
    """

    def __init__(self, promise: str, scene: Scene) -> None:
        self.promise = promise
        self.scene = scene
        self.tried = 0
        self.findings: list[Finding] = []
        self.is_ending = False
        self._tasks: list[asyncio.Task[None]] = []

    def equip(self, gear: Gear) -> Gear:
        """Return what the next engine is started with."""
        return gear

    def begin(self, host: Host) -> None:
        """Look at an engine that is about to run, and let things happen beside it."""

    async def follow(self, host: Host) -> None:
        """Look at what an engine has left that is dead, before its time without one begins."""

    def read(self, seq: int, body: Body, lives: OrderLives) -> None:
        """Take in a record of the journal that is left, before the lives of its orders do."""

    def find(self, words: str) -> None:
        """Note how the promise was broken."""
        self.findings.append(Finding(self.promise, words))

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Let something go on beside the engine, until it is gone."""
        self._tasks.append(asyncio.get_running_loop().create_task(work))

    async def until(self, is_so: Callable[[], bool]) -> None:
        """Wait until something is so, or the run takes no new risk any more."""
        # A length of a journal is no event that anybody could wait for.
        while not (is_so() or self.is_ending):  # noqa: ASYNC110
            await asyncio.sleep(self.scene.plan.tick_ms / 1e3)

    async def let_go(self) -> None:
        """End what goes on beside an engine that is gone; raises what it failed with."""
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        for task in tasks:
            if not task.cancelled():
                task.result()
