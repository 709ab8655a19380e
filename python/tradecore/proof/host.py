"""One engine of a simulation, from its start on what the one before it has left to its end."""

import asyncio
from functools import partial
from pathlib import Path

import msgspec

from tradecore.domain import AccountSpec, EngineSpec, Matching, Mode, VenueSpec
from tradecore.domain.commands import CancelAll, Command, Flatten, Pause
from tradecore.domain.journal import JournalFolder
from tradecore.domain.units import Units
from tradecore.domain.venue_capabilities import VenueCapabilities
from tradecore.engine import Engine
from tradecore.ports.clock import Clock
from tradecore.proof.book_reader import BookReader, BookWatch
from tradecore.proof.gear import PLAIN, Gear
from tradecore.proof.market import Market
from tradecore.proof.mortal_journal import EngineKilled, Kill, MortalJournal
from tradecore.proof.place import Connection
from tradecore.proof.plan import ACCOUNT, CASH, Plan
from tradecore.proof.wanderer import Wanderer
from tradecore.runtime.live.budget import BudgetRules
from tradecore.runtime.live.link_settings import LinkSettings
from tradecore.runtime.live.retries import ReportTimes
from tradecore.runtime.live.shared_budget import SharedBudget
from tradecore.runtime.live.venue_link import VenueLink
from tradecore.runtime.recovery import recover
from tradecore.runtime.session import Session, SessionSettings
from tradecore.runtime.session_config import SessionConfig
from tradecore.strategy import StrategyBinding

_NAME = "wanderer"
JOURNAL = "journal"


class Host:
    """Runs one engine as the daemon does: recovery, session, line to the venue.

    Parameters
    ----------
    plan : Plan
        What the seed decides.
    folder : Path
        Where its journal is.
    clock : Clock
        Its clock.
    market : Market
        Brings its feed.
    connection : Connection
        Its way to the venue; cut as it dies.
    kill : Kill or None
        How it dies.
    gear : Gear
        What else it is started with.
    watch : BookWatch, optional
        Looks at its books once it has read what is past.
    budget : Path, optional
        A file that keeps what is left of the venue's limit; without one each engine begins with all of it.

    Raises
    ------
    DivergenceError
        When the journal that the one before has left cannot be made again.
    """

    def __init__(
        self,
        plan: Plan,
        folder: Path,
        clock: Clock,
        market: Market,
        connection: Connection,
        kill: Kill | None,
        gear: Gear = PLAIN,
        watch: BookWatch | None = None,
        budget: Path | None = None,
    ) -> None:
        self.connection = connection
        path = folder / JOURNAL
        self.folder = JournalFolder(path)
        can = connection.venue.capabilities
        if watch is not None:
            watch.detach()
        self.engine, config = fresh_engine(plan, can, watch)
        writer = self.folder.writer(clock.now_ns())
        recovered = recover(self.folder, self.engine, config) if writer.records else None
        self.is_restart = recovered is not None
        self.is_last = kill is None
        if watch is not None:
            watch.attach(self.engine.kernel.needs_snapshot)
        self.journal = MortalJournal(gear.journal(writer, path), path, kill, self._die)
        self.link = VenueLink(
            gear.venue(connection, self.folder),
            self.folder.first_hash,
            Units(config.engine, ()),
            LinkSettings(
                answer_seconds_max=2.0,
                query_seconds_max=2.0,
                report_times=ReportTimes(default_ns=1_500_000_000),
                check_seconds=plan.check_seconds,
                dead_man_ns=gear.dead_man_ns,
            ),
            clock=clock,
            budget=None if budget is None else SharedBudget(budget, BudgetRules.of(can)),
        )
        self.session = Session(
            engine=self.engine,
            feed=market.open_feed(clock),
            journal=self.journal,
            clock=clock,
            config=config,
            version="proof",
            recovered=recovered,
            settings=SessionSettings(is_live=True),
            outside=self.link,
        )
        self._running: asyncio.Task[None] | None = None

    async def run(self) -> bool:
        """Run until the session ends; return whether it was killed."""
        self._running = asyncio.get_running_loop().create_task(self.session.run())
        try:
            await self._running
        except EngineKilled:
            return True
        except asyncio.CancelledError:
            if not self.journal.is_dead:
                raise
        return self.journal.is_dead

    async def end_orders(self, *, flattens: bool) -> None:
        """Take no new risk any more, and end what is open."""
        commands: list[Command] = [Pause(), CancelAll()]
        if flattens:
            commands.append(Flatten())
        for command in commands:
            await self.session.command(command)

    @property
    def is_settled(self) -> bool:
        """Whether books and venue agree, and nothing is open or in doubt."""
        status, kernel = self.link.status, self.engine.kernel
        return (
            status.step == "agreed"
            and status.is_connected
            and not (status.unknown or status.open_orders or status.foreign_orders)
            and not kernel.is_unreconciled
            and not kernel.open_orders()
        )

    def _die(self, after_ms: int) -> None:
        """Be gone, as a process is: nothing leaves it any more, and nothing is written."""
        if after_ms:
            asyncio.get_running_loop().call_later(after_ms / 1e3, self._die_later)
            return
        self.journal.is_dead = True
        self.connection.cut()

    def _die_later(self) -> None:
        if self._running is not None and not self._running.done():
            self._die(0)
            self._running.cancel()


def fresh_engine(
    plan: Plan, can: VenueCapabilities, watch: BookWatch | None = None
) -> tuple[Engine, SessionConfig]:
    """Return an engine that knows nothing, and what its journal says of it."""
    spec = EngineSpec(
        mode=Mode.LIVE,
        instruments=plan.instruments,
        account=AccountSpec(name=ACCOUNT, currency="USD", cash=CASH, leverage="5"),
        venue=VenueSpec(matching=Matching.BOOK if plan.world.feed_faults else Matching.QUOTES),
        watched=can.watched,
        renews_amended=() if can.replaces else (ACCOUNT,),
    )
    make = partial(BookReader, watch=watch) if plan.world.feed_faults else Wanderer
    strategy = make(plan.seed, open_max=6, position_max=60, acts_in=plan.acts_in)
    binding = StrategyBinding(name=_NAME, strategy=strategy, instruments=tuple(range(plan.traded)))
    config = SessionConfig(engine=spec, strategies=({"class": _NAME},), feed={"kind": "proof"})
    return Engine(spec, [binding], recording=True), config


def left_by(host: Host, into: Path) -> None:
    """Lay what a killed engine has left on the disk where the next one looks for it."""
    into.mkdir()
    (into / JOURNAL).write_bytes(host.journal.left())


class Arrived(msgspec.Struct, frozen=True):
    """A new order as it came to the venue, and how much of the journal was durable by then."""

    client_order_id: str
    durable_records: int
