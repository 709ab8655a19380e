"""One seed from beginning to end: the venue, one engine after the other, and the audit of what is left."""

import asyncio
import hashlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from random import Random

import msgspec

from tradecore.domain.errors import TradecoreError
from tradecore.proof.audit import Audit, Evidence, Finding
from tradecore.proof.host import Arrived, Host, left_by
from tradecore.proof.market import Bystanders, Market
from tradecore.proof.place import Place, PlaceMaker, Setting
from tradecore.proof.plan import ACCOUNT, Plan
from tradecore.proof.story import Mark, story
from tradecore.proof.virtual_loop import StandstillError, VirtualClock, VirtualLoop

START_NS = 1_767_225_600_000_000_000
_SETTLED_POLL_SECONDS = 0.25
# How often the market moves once nothing is traded any more.
_QUIET_TICK_SECONDS = 0.2
# Longer than any time-out, retry or late answer of a plan lasts.
_SETTLE_SECONDS_MAX = 240.0
_RUN_SECONDS_MAX = 100_000.0
_MS_NS = 1_000_000


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What a seed came to.

    Attributes
    ----------
    seed : int
        The seed.
    events : int
        Frames in the journal.
    order_events : int
        How many of them are of orders: requests, reports, cancels, and what was heard of them.
    orders, fills : int
        Orders that the venue took, and trades.
    tried : dict of str to int
        How often each promise was put to the test, by its number.
    findings : tuple of Finding
        What was broken.
    faults : dict of str to int
        What went wrong on purpose.
    kills : int
        How often the engine was killed.
    virtual_seconds : float
        How long it took by the virtual clock.
    digest : str
        Hash of the journal's bytes and of the venue's log: the same seed has the same.
    """

    seed: int
    events: int = 0
    order_events: int = 0
    orders: int = 0
    fills: int = 0
    tried: dict[str, int] = {}
    findings: tuple[Finding, ...] = ()
    faults: dict[str, int] = {}
    kills: int = 0
    virtual_seconds: float = 0.0
    digest: str = ""


class SeedRun:
    """Runs one seed.

    Parameters
    ----------
    plan : Plan
        What it decides.
    make_place : PlaceMaker
        Makes the venue.
    folder : Path
        An empty folder, best in memory.

    Attributes
    ----------
    host : Host
        The last engine, for whoever tells its story.
    """

    def __init__(self, plan: Plan, make_place: PlaceMaker, folder: Path) -> None:
        self._plan = plan
        self._folder = folder
        self._loop = VirtualLoop()
        self._clock = VirtualClock(self._loop, START_NS)
        # S311: chance for a simulation, not for a secret.
        self._delays = Random(f"delays/{plan.seed}")  # noqa: S311
        draw = Random(f"market/{plan.seed}")  # noqa: S311
        starts = [market.start_ticks for market in plan.venue.markets[: plan.traded]]
        crowd = Bystanders(draw, starts, start_ns=START_NS, step_ns=plan.tick_ms * _MS_NS // 2)
        setting = Setting(
            venue=plan.venue,
            script=plan.script,
            account=ACCOUNT,
            clock=self._clock,
            crowd=crowd,
            delay_seconds=self._delay_seconds,
            on_new_order=self._arrived,
        )
        self.place: Place = make_place(setting)
        self._market = Market(
            self.place.exchange,
            traded=plan.traded,
            shown=plan.shown,
            quotes=plan.quotes,
            draw=Random(f"feed/{plan.seed}"),  # noqa: S311
            loss=plan.feed_loss,
        )
        self.host: Host | None = None
        self.arrived: list[Arrived] = []
        self._findings: list[Finding] = []
        self._kills = self._restarts = 0
        self.marks: list[Mark] = []
        self.place.faults.on_seen = lambda seen: self._mark(
            f"FAULT {seen.kind.value} at {seen.endpoint.value} {seen.count}"
        )

    def run(self) -> Outcome:
        """Run it to its end, and say what was found."""
        try:
            self._loop.run_until_complete(self._live())
        except (TradecoreError, StandstillError, TimeoutError) as error:
            self._find("P19", f"the run ended with {type(error).__name__}: {error}")
        finally:
            self._close()
        return self._outcome()

    async def _live(self) -> None:
        plan, folder = self._plan, self._folder / "0"
        folder.mkdir()
        ticking = asyncio.get_running_loop().create_task(self._tick())
        try:
            async with asyncio.timeout(_RUN_SECONDS_MAX):
                for number, kill in enumerate((*plan.kills, None)):
                    connection = await self.place.connect(plan.instruments, number)
                    self.host = host = Host(plan, folder, self._clock, self._market, connection, kill)
                    self._restarts += host.is_restart
                    self._mark(f"engine {number} starts with {host.journal.records} records")
                    if kill is None:
                        await self._live_to_the_end(host)
                        return
                    if not await host.run():
                        self._find("P19", "an engine ended before it was killed")
                        return
                    self._mark(f"KILL {kill.moment.value}, {host.journal.records} records")
                    self._kills += 1
                    folder = self._folder / str(number + 1)
                    left_by(host, folder)
                    await asyncio.sleep(kill.down_ms / 1e3)
        finally:
            ticking.cancel()
            await asyncio.wait([ticking])

    async def _live_to_the_end(self, host: Host) -> None:
        """Run the engine that is not killed."""
        async with asyncio.TaskGroup() as group:
            ending = group.create_task(self._end_in_time(host))
            await host.run()
            ending.cancel()

    def _mark(self, words: str) -> None:
        self.marks.append(Mark(self._clock.now_ns(), words))

    def story(self) -> Iterator[str]:
        """Yield what happened, line by line."""
        if self.host is not None:
            yield from story(self.host.folder, self.place.exchange.truth, self.marks)

    async def _tick(self) -> None:
        """Let others trade, and the feed say so."""
        while True:
            now_ns = self._clock.now_ns()
            self.place.exchange.advance(now_ns)
            self._market.tick(now_ns)
            self.place.tick()
            await asyncio.sleep(_QUIET_TICK_SECONDS if self._market.is_quiet else self._plan.tick_ms / 1e3)

    async def _end_in_time(self, host: Host) -> None:
        """End the run once there were enough events, when everything is settled."""
        # A length of a journal is no event that anybody could wait for.
        while host.journal.records < self._plan.events:  # noqa: ASYNC110
            await asyncio.sleep(self._plan.tick_ms / 1e3)
        self._mark("no faults any more, and no new risk")
        self.place.faults.cease()
        self._market.is_quiet = True
        await host.end_orders(flattens=self._plan.flattens)
        left = int(_SETTLE_SECONDS_MAX / _SETTLED_POLL_SECONDS)
        # What was busted without a word is found by the next comparison, so there have to be some.
        needed = int((2 * self._plan.check_seconds + 3.0) / _SETTLED_POLL_SECONDS)
        settled = 0
        while settled < needed:
            await asyncio.sleep(_SETTLED_POLL_SECONDS)
            is_settled = host.is_settled and not self.place.has_revisions_due
            settled = settled + 1 if is_settled else 0
            left -= 1
            if not left:
                self._find("P19", f"books and venue do not come together: {_standing(host)}")
                break
        host.session.stop()

    def _arrived(self, client_order_id: str) -> None:
        host = self.host
        self.arrived.append(Arrived(client_order_id, 0 if host is None else host.journal.durable_records))

    def _delay_seconds(self) -> float:
        return 0.00005 + self._delays.random() ** 4 * self._plan.delay_ms_max / 1e3

    def _find(self, promise: str, words: str) -> None:
        self._findings.append(Finding(promise=promise, words=words))

    def _close(self) -> None:
        loop = self._loop
        left = asyncio.all_tasks(loop)
        for task in left:
            task.cancel()
        if left:
            loop.run_until_complete(asyncio.wait(left, timeout=60))
        loop.close()

    def _outcome(self) -> Outcome:
        faults = Counter(f"{each.kind.value} at {each.endpoint.value}" for each in self.place.faults.seen)
        if self.host is None:
            return Outcome(seed=self._plan.seed, findings=tuple(self._findings), faults=dict(faults))
        evidence = Evidence(
            plan=self._plan,
            host=self.host,
            exchange=self.place.exchange,
            arrived=self.arrived,
            restarts=self._restarts,
            faults_seen=self.place.faults.seen,
        )
        audit = Audit(evidence)
        if not self._findings:
            audit.run()
        digest = hashlib.sha256(self.host.journal.head.encode())
        digest.update(msgspec.json.encode(self.place.exchange.truth))
        return Outcome(
            seed=self._plan.seed,
            events=self.host.journal.records,
            order_events=audit.order_events,
            orders=audit.orders,
            fills=audit.fills,
            tried=dict(audit.tried),
            findings=(*self._findings, *audit.findings),
            faults=dict(sorted(faults.items())),
            kills=self._kills,
            virtual_seconds=self._loop.time(),
            digest=digest.hexdigest(),
        )


def _standing(host: Host) -> str:
    status, books = host.link.status, len(host.engine.kernel.open_orders())
    return (
        f"{status.step}, {status.unknown} unknown, {status.open_orders} open here, "
        f"{status.foreign_orders} of others, {books} open in the books; {status.trouble}"
    )
