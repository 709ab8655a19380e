"""The second reader of a venue account on real time: a connection, a key and a budget of its own."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress

import msgspec

from tradecore.domain.account_part import AccountPart
from tradecore.domain.errors import TradecoreError, VenueError
from tradecore.domain.units import Units
from tradecore.domain.venue_findings import (
    Balances,
    FillSeen,
    FillsSince,
    Findings,
    Message,
    Positions,
    Question,
    Seen,
)
from tradecore.engine import Engine
from tradecore.ports.venue_queries import VenueQueries
from tradecore.runtime.live.allowance import Allowance, Leave
from tradecore.runtime.live.balances import compared_currencies
from tradecore.runtime.live.budget import BudgetRules, RequestBudget
from tradecore.runtime.live.drop_copy import SECOND_LOOK_NS, Act, CopiedBooks, CopyStep, DropCopy, Look
from tradecore.runtime.live.pages import whole
from tradecore.runtime.live.reconciliation import OVERLAP_NS, Reconciliation

_NS = 1_000_000_000
# How often it is looked whether the line of orders is ready.
_IDLE_SECONDS = 0.05
_SAID_MAX = 100
# What is older than the last of so many is not looked at.
_EARLY_MAX = 10_000
_FINDINGS_SAID = 5


class DropCopySettings(msgspec.Struct, frozen=True, kw_only=True):
    """How often the second reader looks, and how long an answer may take."""

    interval_seconds: float = 5.0
    answer_seconds_max: float = 5.0


class DropCopyStatus(msgspec.Struct, frozen=True, kw_only=True):
    """How the second reader of an account stands.

    Attributes
    ----------
    step : str
        How far it is; see `CopyStep`.
    is_answering : bool
        Whether its last questions were answered.
    trouble : str
        What keeps it from answering; empty where nothing does.
    findings : tuple of str
        What it shows otherwise than the books, in words.
    booked : int
        Trades that nobody had told, and that are in the books since it found them.
    looks : int
        How often it has looked.
    """

    step: str
    is_answering: bool
    trouble: str
    findings: tuple[str, ...]
    booked: int
    looks: int


class CopiedLine(msgspec.Struct, frozen=True, kw_only=True):
    """What the second reader needs of the line of orders that it stands beside.

    Attributes
    ----------
    engine : Engine
        Has the books.
    reconciliation : Reconciliation
        Whether books and venue agree.
    news : callable
        Returns how much was told so far; `None` while some of it is not in the books.
    compare_anew : callable
        Holds new risk, and compares books and venue by the line of orders.
    let_go : callable
        Lets new risk go on that waited for the second reader alone.
    """

    engine: Engine
    reconciliation: Reconciliation
    news: Callable[[], int | None]
    compare_anew: Callable[[], None]
    let_go: Callable[[], None]


class DropCopyLine:
    """Asks a venue again and again, by another way than orders go, and holds its answers against the books.

    It writes nothing and books nothing: see `DropCopy`. That it cannot ask holds nothing, and is said.

    Parameters
    ----------
    connect : callable or None
        Returns what may be asked; called again while it raises a `TradecoreError`. `None` where there is no
        second reader: then it never looks.
    units : Units
        What numbers mean.
    part : AccountPart
        The account.
    settings : DropCopySettings
        How often it looks.
    """

    def __init__(
        self,
        connect: Callable[[], Awaitable[VenueQueries]] | None,
        units: Units,
        part: AccountPart,
        settings: DropCopySettings | None = None,
    ) -> None:
        self._connect = connect
        self._units, self._part = units, part
        self._settings = settings or DropCopySettings()
        self._line: CopiedLine | None = None
        self._venue: VenueQueries | None = None
        self._copy: DropCopy | None = None
        self._allowance: Allowance | None = None
        # The venue's own time of its last answer to each question.
        self._times: dict[type[Question], int] = {}
        # Trades that were told before it is known what to compare.
        self._early: deque[FillSeen] = deque(maxlen=_EARLY_MAX)
        # The time of the last of them that is remembered no more.
        self._forgotten_ns = -1
        self._said: deque[str] = deque(maxlen=_SAID_MAX)
        self._trouble = ""
        self._looks = 0
        self._due = asyncio.Event()

    @property
    def status(self) -> DropCopyStatus | None:
        """How it stands now; `None` where there is none."""
        copy = self._copy
        if self._connect is None:
            return None
        return DropCopyStatus(
            step="waiting" if copy is None else copy.step.value,
            is_answering=not self._trouble and self._looks > 0,
            trouble=self._trouble,
            findings=() if copy is None else tuple(each.words for each in copy.findings.values()),
            booked=0 if copy is None else copy.booked,
            looks=self._looks,
        )

    @property
    def holds(self) -> bool:
        """Whether new risk waits for it, though books and the line of orders agree."""
        return self._copy is not None and self._copy.holds

    def take_said(self) -> list[str]:
        """Return what is to be said to people since the last call, a sentence each."""
        said = list(self._said)
        self._said.clear()
        return said

    def attach(self, line: CopiedLine) -> None:
        """Stand beside a line of orders from here on."""
        self._line = line

    def hear(self, *messages: Message | Seen) -> None:
        """Take in what the line of orders was told."""
        for message in messages if self._connect is not None else ():
            if not isinstance(message, FillSeen):
                continue
            if self._copy is None:
                if len(self._early) == _EARLY_MAX:
                    self._forgotten_ns = max(self._forgotten_ns, self._early[0].time_ns)
                self._early.append(message)
            else:
                self._copy.hear(message)

    def agreed(self) -> None:
        """Take in that books and venue agree by the line of orders."""
        if self._copy is None:
            return
        for trade in self._copy.proved():
            self._said.append(
                f"{trade} was never told by the venue's stream; the drop copy{self._where} found it, the "
                "venue says the same where orders go, and it is booked now"
            )
        self._due.set()

    async def run(self) -> None:
        """Look until cancelled; return at once where there is no second reader."""
        while (connect := self._connect) is not None:
            self._due.clear()
            seconds = await self._turn(connect)
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._due.wait()

    async def aclose(self) -> None:
        """Let go of the venue."""
        if self._venue is not None:
            await self._venue.aclose()

    @property
    def _where(self) -> str:
        return f" of {self._part.name}" if self._units.has_accounts else ""

    async def _turn(self, connect: Callable[[], Awaitable[VenueQueries]]) -> float:
        """Look once, where that is of use now; return how long to wait."""
        line = self._line
        if line is None or not line.reconciliation.is_over:
            if self._copy is not None:
                self._copy.stopped()
            return _IDLE_SECONDS
        copy = await self._opened(line, connect)
        look = None if copy is None else await self._look(line, copy)
        if copy is None:
            return self._settings.interval_seconds
        was = copy.step
        # A comparison for another reason may have begun meanwhile.
        act = Act.NOTHING
        if look is None:
            act = copy.failed()
        elif line.reconciliation.is_over:
            act = copy.looked(look)
        self._follow(line, copy, act, was)
        is_soon = copy.step in (CopyStep.DOUBTS, CopyStep.PROVED)
        return SECOND_LOOK_NS / _NS if is_soon else self._settings.interval_seconds

    def _follow(self, line: CopiedLine, copy: DropCopy, act: Act, was: CopyStep) -> None:
        found = "; it ".join(each.words for each in list(copy.findings.values())[:_FINDINGS_SAID])
        if act is Act.PROVE:
            self._said.append(f"the drop copy{self._where} {found}: new risk waits, and the venue is asked")
            line.compare_anew()
        if act is Act.LET_GO:
            if was is CopyStep.CONTRADICTS:
                self._said.append(f"venue and drop copy{self._where} contradict each other no more")
            line.let_go()
        if copy.step is CopyStep.CONTRADICTS and was is not CopyStep.CONTRADICTS:
            self._said.append(
                f"VENUE AND DROP COPY{self._where} CONTRADICT EACH OTHER: the drop copy {found}; asked "
                "again where orders go, the venue says what the books have. No new risk is taken until both "
                "say the same: look at the venue's own statements"
            )

    async def _opened(
        self, line: CopiedLine, connect: Callable[[], Awaitable[VenueQueries]]
    ) -> DropCopy | None:
        """Connect where that was not done; `None` where it cannot be done now."""
        if self._copy is not None and self._venue is not None:
            return self._copy
        try:
            async with asyncio.timeout(self._settings.answer_seconds_max):
                venue = await connect()
        except (TimeoutError, TradecoreError, OSError) as error:
            self._fail(error)
            return None
        can = venue.capabilities
        self._venue = venue
        budget = RequestBudget(BudgetRules.of(can))
        self._allowance = Allowance(budget, can.weights, can.validity_window_ns)
        self._copy = copy = DropCopy(
            self._units,
            {number: line.engine.instruments[number].symbol for number in self._part.instruments},
            positions=can.positions,
            currencies=compared_currencies(self._units, can.positions, self._part),
            names=self._part.balances,
            interval_ns=int(self._settings.interval_seconds * _NS),
            fills_kept_ns=can.fills_kept_ns,
        )
        copy.since_ns = max(line.reconciliation.watermark_ns - OVERLAP_NS, self._forgotten_ns + 1)
        for fill in self._early:
            copy.hear(fill)
        self._early.clear()
        return copy

    async def _look(self, line: CopiedLine, copy: DropCopy) -> Look | None:
        """Ask for all that is compared; `None` where an answer is missing or is of no use."""
        news, since_ns = line.news(), copy.since_ns
        # The sums come first: see `Look`.
        positions = await self._answer(Positions()) if copy.compares_positions else None
        balances = await self._answer(Balances()) if copy.compares_balances else None
        fills = await whole(FillsSince(time_ns=since_ns), self._page)
        if fills is None:
            return None
        is_whole = not (copy.compares_positions and positions is None)
        is_whole = is_whole and not (copy.compares_balances and balances is None)
        if is_whole:
            if self._trouble:
                self._said.append(f"the drop copy{self._where} answers again")
            self._trouble = ""
        self._looks += 1
        is_quiet = news is not None and line.news() == news and is_whole
        return Look(
            fills=fills,
            positions=positions,
            balances=balances,
            since_ns=since_ns,
            books=self._books(line.engine) if is_quiet else None,
        )

    def _books(self, engine: Engine) -> CopiedBooks:
        lots = {number: engine.kernel.position_total_lots(number) for number in self._part.instruments}
        money = {str(row["currency"]): int(row["balance"]) for row in engine.kernel.balances()}
        return CopiedBooks(lots, money)

    async def _page(self, question: Question) -> Findings | None:
        """Ask for a page of trades; one after the first waits for its room as long as an answer may take."""
        return await self._answer(
            question, is_first=not (isinstance(question, FillsSince) and question.cursor)
        )

    async def _answer(self, question: Question, *, is_first: bool = True) -> Findings | None:
        venue, allowance = self._venue, self._allowance
        if venue is None or allowance is None:
            return None
        kind = type(question)
        until_ns = _now_ns() + (0 if is_first else int(self._settings.answer_seconds_max * _NS))
        while allowance.ask(kind, _now_ns(), 0) is not Leave.GO:
            if _now_ns() >= until_ns:
                return None
            await asyncio.sleep(allowance.wait_ns(_now_ns(), kind) / _NS)
        try:
            async with asyncio.timeout(self._settings.answer_seconds_max):
                findings = await venue.query(question)
        except (TimeoutError, TradecoreError, OSError) as error:
            wait_ns = (error.retry_after_ns or 0) if isinstance(error, VenueError) else 0
            if wait_ns:
                allowance.hold(wait_ns, _now_ns())
            allowance.asked(question, _now_ns(), has_answer=bool(wait_ns))
            self._fail(error)
            return None
        allowance.asked(question, _now_ns(), has_answer=True)
        if is_first and findings.time_ns and findings.time_ns <= self._times.get(kind, 0):
            self._fail(f"it gives an old answer about {_NAMES[kind]} once more")
            return None
        self._times[kind] = findings.time_ns
        return findings

    def _fail(self, error: BaseException | str) -> None:
        """Say once that it does not answer, and why."""
        if not self._trouble:
            why = str(error) or type(error).__name__
            self._said.append(
                f"the drop copy{self._where} is of no use now ({why}); nothing is halted by that"
            )
        self._trouble = str(error) or type(error).__name__


_NAMES: dict[type[Question], str] = {FillsSince: "trades", Positions: "positions", Balances: "balances"}


def _now_ns() -> int:
    """Return a time that never jumps, for waits."""
    return int(asyncio.get_running_loop().time() * _NS)
