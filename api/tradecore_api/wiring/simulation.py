"""The local venue and its client as the place of a simulation: all of them but the sockets."""

import os
import signal
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import msgspec

from tradecore.domain.secret import Secret
from tradecore.domain.spec import InstrumentSpec
from tradecore.ports.clock import Clock
from tradecore.ports.venue_cancels import VenueCancels
from tradecore.proof.place import Connection, Place, Setting
from tradecore.proof.plan import Plan, plan_of
from tradecore.proof.run import Outcome, SeedRun
from tradecore.proof.task_order import blamed
from tradecore.runtime import Session
from tradecore.runtime.live.fenced_venue import SigningClock
from tradecore.testkit.local_venue.access import Right
from tradecore.testkit.local_venue.exchange import LocalExchange
from tradecore.testkit.local_venue.faults import Faults
from tradecore_api.config.stop_tables import SafetyTable
from tradecore_api.safety_stops import Clocks, keep_safe
from tradecore_local import Key, wire
from tradecore_local.cancels import LocalVenueCancels
from tradecore_local.client import LocalVenue
from tradecore_local.server import KeyGrant
from tradecore_local.server.desk import route_of
from tradecore_local.server.in_memory import Arrival, MemoryWire
from tradecore_local.server.service import VenueService

_URL = "http://venue.in.memory"
_KEY = Key(key_id="proof", secret=Secret("a secret that guards nothing"))
_WATCHDOG_KEY = Key(key_id="watchdog", secret=Secret("another secret that guards nothing"))
_WATCHDOG_SECONDS_MAX = 1.5
_SPREAD = 0.5
_SHARED_MEMORY = "/dev/shm"  # noqa: S108 - a folder of a random name is made in it


class LocalPlace:
    """A `Place` with the local venue in it.

    Parameters
    ----------
    setting : Setting
        What it is made of.
    """

    def __init__(self, setting: Setting) -> None:
        self._setting = setting
        grants = (
            KeyGrant(key=_KEY, account=setting.account, rights=frozenset({Right.TRADE})),
            KeyGrant(
                key=_WATCHDOG_KEY, account=setting.account, rights=frozenset({Right.CANCEL, Right.QUERY})
            ),
        )
        self._service = VenueService(
            setting.venue, grants, setting.clock, script=setting.script, crowd=setting.crowd
        )
        self._decode = msgspec.json.Decoder(wire.SocketRequest).decode
        self._decode_order = msgspec.json.Decoder(wire.OrderBody).decode

    @property
    def exchange(self) -> LocalExchange:
        """The exchange."""
        return self._service.exchange

    @property
    def faults(self) -> Faults:
        """What goes wrong."""
        return self._service.faults

    @property
    def has_revisions_due(self) -> bool:
        """Whether a trade is still to be told anew."""
        return self._service.has_revisions_due

    def tick(self) -> None:
        """Let time pass until now, and tell who listens."""
        self._service.tick()

    async def connect(self, instruments: Sequence[InstrumentSpec], number: int, clock: Clock) -> Connection:
        """Connect an engine."""
        way = MemoryWire(self._service, self._setting.delay_seconds, self._arrived, self._leaving)
        signing = SigningClock(clock)
        venue = await LocalVenue.signed_by(
            _URL,
            _KEY,
            instruments,
            signing,
            random=lambda: _SPREAD,
            session=way.session(),
            nonces=f"engine-{number}",
        )
        return Connection(venue, way.cut, signing)

    async def connect_watchdog(self, instruments: Sequence[InstrumentSpec], number: int) -> VenueCancels:
        """Connect a watchdog, with a key that can only ask and end orders."""
        way = MemoryWire(self._service, self._setting.delay_seconds, self._arrived)
        venue = await LocalVenue.signed_by(
            _URL,
            _WATCHDOG_KEY,
            instruments,
            self._setting.clock,
            timeout_seconds=_WATCHDOG_SECONDS_MAX,
            random=lambda: _SPREAD,
            over_sockets=False,
            session=way.session(),
            nonces=f"watchdog-{number}",
        )
        return LocalVenueCancels(venue)

    async def keep_safe(
        self, session: Session, wall_ns: Callable[[], int], monotonic_ns: Callable[[], int]
    ) -> None:
        """Pause a session where its clocks or its feed are wrong."""
        await keep_safe(session, SafetyTable(), session.command, Clocks(wall_ns, monotonic_ns))

    def _leaving(self, leaving: Arrival) -> None:
        """Name the endpoint of each request that leaves and has a weight."""
        method, target = leaving.method, leaving.target
        if target == "/trade":
            said = self._decode(leaving.body)
            method, target = said.method, said.target
        route = route_of(method, target.partition("?")[0])
        if route is not None and route.right is not None and route.endpoint is not None:
            self._setting.on_request(route.endpoint.value)

    def _arrived(self, arrival: Arrival) -> None:
        """Name each new order that comes in."""
        if arrival.target != "/trade":
            return
        asked = self._decode(arrival.body)
        if asked.method == "POST":
            self._setting.on_new_order(self._decode_order(asked.body).client_order_id)


def local_place(setting: Setting) -> Place:
    """Return the local venue as a place."""
    return LocalPlace(setting)


def run_seed(
    seed: int, events: int, on_story: Callable[[str], None] | None = None, *, within: str | None = None
) -> Outcome:
    """Simulate one seed in a folder of its own, in memory where the machine has such a place.

    `on_story` is told what happened, line by line. The folder is made `within` another one.
    """
    return judged_plan(plan_of(seed, events), on_story, within=within)


def judged_plan(
    plan: Plan, on_story: Callable[[str], None] | None = None, *, within: str | None = None
) -> Outcome:
    """Simulate what a plan says, and find out whether the order of tasks broke it; as in `run_seed`."""
    outcome = run_plan(plan, on_story, within=within)
    return blamed(plan, outcome, partial(run_plan, within=within))


def run_plan(
    plan: Plan, on_story: Callable[[str], None] | None = None, *, within: str | None = None
) -> Outcome:
    """Simulate what a plan says; the rest is as in `run_seed`."""
    with _folder(within) as folder:
        run = SeedRun(plan, local_place, Path(folder))
        outcome = run.run()
        if on_story is not None:
            for line in run.story():
                on_story(line)
    return outcome


def run_seeds(seeds: Sequence[int], events: int, jobs: int) -> Iterator[Outcome]:
    """Simulate seeds, as many processes side by side as `jobs`; yields what they came to, in their order.

    A process has a hash seed of its own, so two runs of one seed are under two of them. What they write is
    in one folder, which goes however the processes end, as long as this one is not killed.
    """
    if jobs == 1:
        yield from (run_seed(seed, events) for seed in seeds)
        return
    with (
        _folder(None) as folder,
        ProcessPoolExecutor(jobs, mp_context=get_context("spawn"), initializer=_leave_interrupts) as pool,
    ):
        try:
            yield from pool.map(partial(run_seed, events=events, within=folder), seeds)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _folder(within: str | None) -> tempfile.TemporaryDirectory[str]:
    in_memory = _SHARED_MEMORY if os.access(_SHARED_MEMORY, os.W_OK) else None
    return tempfile.TemporaryDirectory(prefix="tradecore-simulate-", dir=within or in_memory)


def _leave_interrupts() -> None:
    """Let Ctrl-C be the business of the process that shows the work."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
