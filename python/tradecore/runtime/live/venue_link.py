"""The line to a venue outside: sends what is durable, asks, listens, and wakes the session."""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from typing import Any, assert_never

import msgspec

from tradecore._core import ticket_at_venue
from tradecore.domain import EventBatch
from tradecore.domain.account_part import AccountPart
from tradecore.domain.errors import InvalidValueError, TradecoreError, VenueError
from tradecore.domain.record import JournalRecord
from tradecore.domain.record_bodies import Command, Surprise
from tradecore.domain.units import Units
from tradecore.domain.venue_findings import (
    Balances,
    BalanceSeen,
    FillSeen,
    Findings,
    NotUnderstood,
    OpenOrders,
    OrderSeen,
    Positions,
    PositionSeen,
    Question,
    StreamLost,
    StreamReady,
)
from tradecore.domain.venue_requests import Answer, Cancel, Declined, Lost, Replace, Submit
from tradecore.engine import Engine
from tradecore.ports.clock import Clock
from tradecore.ports.letter_reader import LetterReader
from tradecore.ports.venue import Venue
from tradecore.runtime.live.adoption import Adoption
from tradecore.runtime.live.allowance import Allowance, Leave
from tradecore.runtime.live.balances import compared_currencies
from tradecore.runtime.live.budget import Budget, BudgetRules, RequestBudget
from tradecore.runtime.live.dead_man import DeadMan
from tradecore.runtime.live.drop_copy_line import CopiedLine, DropCopyLine
from tradecore.runtime.live.fence import Fence
from tradecore.runtime.live.fenced_venue import FencedVenue, never_left
from tradecore.runtime.live.link_settings import LinkSettings
from tradecore.runtime.live.link_status import FoundAtStart, LinkStatus
from tradecore.runtime.live.order_table import OrderTable, open_orders_of, ordered_to_end
from tradecore.runtime.live.pages import Answered, Pages
from tradecore.runtime.live.reconciliation import Difference, Outcome, Reconciliation, Step
from tradecore.runtime.live.requests import Requests, Send
from tradecore.runtime.live.start_report import StartFold
from tradecore.runtime.live.tickets import differing_tickets
from tradecore.runtime.live.told_again import group_of, parts_of, without_known
from tradecore.runtime.live.unasked import Unasked
from tradecore.runtime.live.venue_reading import VenueReading
from tradecore.runtime.live.words import PLAIN_REASONS, Reconciled, Reconciling, Told, Word
from tradecore.runtime.system_clock import SystemClock

# Requests under way at once: more of them make no venue faster, and their answers late.
UNDER_WAY_MAX = 64
# Besides, only for cancels.
UNDER_WAY_CANCELS = 16


class VenueLink:
    """Runs the order manager and the comparison of books and venue on real time.

    Parameters
    ----------
    venue : Venue
        The other end; the link closes it. A `FencedVenue` brings the fence of the account along.
    journal : callable
        Returns the hash of the journal's first record, once it has one: a part of the names of its orders.
    units : Units
        Currencies of the account and of its instruments.
    settings : LinkSettings
        How long it waits.
    budget : Budget, optional
        Lets requests out; without one this line has a budget of its own. The link closes it.
    clock : Clock, optional
        Our clock, which the venue's is compared with.
    part : AccountPart, optional
        The account of several that trades here; without one it is all of the engine.
    copy : DropCopyLine, optional
        The second reader of the account; the link closes it.
    """

    def __init__(
        self,
        venue: Venue,
        journal: Callable[[], str],
        units: Units,
        settings: LinkSettings | None = None,
        *,
        budget: Budget | None = None,
        clock: Clock | None = None,
        part: AccountPart | None = None,
        copy: DropCopyLine | None = None,
    ) -> None:
        self._venue = venue
        self.copy = copy or DropCopyLine(None, units, part or units.parts[0])
        self._part = part = part or units.parts[0]
        self._settings = settings = settings or LinkSettings()
        capabilities, times = venue.capabilities, settings.report_times
        self._table = OrderTable(hedges=capabilities.hedging)
        self._requests = Requests(self._table, capabilities, retries=settings.retries, report_times=times)
        self._reading = VenueReading(self._table, capabilities, units=units, report_times=times)
        if settings.owners.takes_any:
            self._table.adoption = Adoption(settings.owners, self._reading.fee_of)
        # Questions that are under way: the same one is not asked beside itself.
        self._asking: set[Question] = set()
        self._budget = budget or RequestBudget(BudgetRules.of(capabilities))
        self._allowance = Allowance(self._budget, capabilities.weights, capabilities.validity_window_ns)
        if isinstance(venue, FencedVenue):
            self.fence, venue.allowance = venue.fence, self._allowance
            venue.is_taken_back = self._table.is_taken_back
        else:
            self.fence = Fence(part.name, journal, epoch_min=settings.epoch)
        self._clock = clock
        self._dead_man = DeadMan(venue, self._budget, clock or SystemClock(), settings.dead_man_ns)
        self._unasked, self._pages = Unasked(), Pages()
        self._reconciliation = Reconciliation(
            capabilities.positions,
            currencies=compared_currencies(units, capabilities.positions, part),
            names=part.balances,
            check_seconds=settings.check_seconds,
            fills_kept_ns=capabilities.fills_kept_ns,
            takes_short_lookback=settings.takes_short_lookback,
        )
        self._inbox: deque[Word] = deque()
        self._due = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._under_way = 0  # Requests whose answer is awaited.
        self._is_connected = self._is_closing = False
        # Why there is no stream of reports.
        self._stream_trouble = ""
        # When the venue declined a request last, by the clock on the wall.
        self._declined_ns = 0
        self._news = 0
        self._start = StartFold((), ())
        self._engine: Engine | None = None
        self._wake: Callable[[], None] = _nothing
        # What a task of ours failed with: it ends the run.
        self._fault: BaseException | None = None

    @property
    def links(self) -> dict[str, "VenueLink"]:
        """The lines by the names of their accounts: this one alone."""
        return {self._part.name: self}

    @property
    def status(self) -> LinkStatus:
        """How it stands now."""
        table, compared = self._table, self._reconciliation
        return LinkStatus(
            is_connected=self._is_connected,
            step=compared.shown.value if not self._waits_for_copy else "doubted",
            differences=compared.differences if compared.shown is Step.DIFFERS else (),
            balances=compared.balances if compared.shown is Step.DIFFERS else (),
            trouble="; ".join(filter(None, self._troubles())),
            declined=self._requests.declined,
            declined_ns=self._declined_ns,
            open_orders=len(table.orders),
            unknown=table.unknown,
            foreign_orders=len(table.foreign),
            letters=len(table.letters),
            revisions=self._known_outside.get("revisions", 0),
            drop_copy=self.copy.status,
            dead_man=self._dead_man.words,
            epoch=self.fence.epoch,
        )

    @property
    def _waits_for_copy(self) -> bool:
        return self._reconciliation.is_over and self.copy.holds

    @property
    def _known_outside(self) -> dict[str, Any]:
        """What the engine knows of the venue of this account; nothing before the start."""
        return {} if self._engine is None else self._engine.kernel.outside(self._part.number)

    def _troubles(self) -> list[str]:
        """Say what is wrong, the worst first; empty text where nothing is."""
        refused = self._known_outside.get("refused_exits", [])
        bare = ", ".join(map(str, refused[-5:]))
        lost = f"the venue did not take order {bare}, or has busted a trade of it"
        return [
            f"A POSITION IS OPEN WITHOUT ITS EXIT: {lost}" if bare else "",
            self._stream_trouble,
            self._reconciliation.trouble or self._table.trouble,
            self._allowance.trouble(self._wall_ns()),
        ]

    @property
    def found_at_start(self) -> FoundAtStart | None:
        """What the start found, once books and venue have agreed; before that `None`."""
        facts = self._start.facts
        return None if facts is None else FoundAtStart.of(facts, self._table)

    def take_letters(self) -> list[NotUnderstood]:
        """Return the messages that were not understood since the last call."""
        return self._table.letters.take_new()

    def read_again(self, letters: Sequence[NotUnderstood]) -> list[NotUnderstood]:
        """Try kept messages once more, which an update may understand; return those that were.

        What they say goes the way of all that a venue tells; what is known already changes nothing.
        """
        if not isinstance(self._venue, LetterReader):
            return []
        understood = []
        for letter in letters:
            messages = self._venue.read_again(letter)
            if messages and not any(isinstance(message, NotUnderstood) for message in messages):
                understood.append(letter)
                for message in messages:
                    self._hear(self._reading.told(message, _now_ns()))
        return understood

    def name_of(self, order_id: int) -> str:
        """Return the name under which the venue knows an order."""
        order = self._table.orders.get(order_id)
        return self._table.ids.of(order_id) if order is None else order.client_order_id

    @property
    def names_begin(self) -> str:
        """Return how the venue's names of its orders begin, one for each epoch; nothing before `start`."""
        return "" if self._engine is None else " ".join(self._table.ids.heads)

    def start(self, engine: Engine, wake: Callable[[], None]) -> None:
        """Take over the open orders of an engine; no new risk until books and venue agree."""
        self._engine, self._wake = engine, wake
        self._table.ids = self.fence.start(lambda: self._known_outside.get("last_order_id", 0), wake)
        for strategy, binding in enumerate(engine.strategies):
            for instrument in binding.instruments:
                self._requests.know_trader(instrument, strategy)
        if self._table.tickets is not None:
            self._table.tickets.at_venue = partial(ticket_at_venue, engine.kernel)
        self._reconciliation.watermark_ns = engine.now_ns
        line = CopiedLine(
            engine=engine,
            reconciliation=self._reconciliation,
            news=lambda: None if self._inbox else self._news,
            compare_anew=self._compare_anew,
            let_go=self._let_go,
        )
        self.copy.attach(line)
        self._inbox.append(Reconciling(self._part.first_instrument))
        self._know_names(engine)
        known = open_orders_of(engine, self._part)
        self._start = StartFold(
            [each.terms.order_id for each in known if each.is_sent],
            [each.terms.order_id for each in known if each.is_sent and each.state == "unknown"],
        )
        self._inbox.extend(self._table.resume(known, _now_ns()))
        until = None if engine.kernel.is_killed else engine.kernel.outside()["to_end"]
        self._table.insist(until=until)
        self._table.insist_on(ordered_to_end(engine))
        self._table.end_insisted()

    def _know_names(self, engine: Engine) -> None:
        """Know how the venue called orders before this start, and which of them others made."""
        for order_id, name, _, is_of_others in engine.kernel.venue_names(self._part.number):
            self._table.note_name(order_id, name)
            if is_of_others:
                self._table.others[name] = order_id
                if self._table.adoption is not None:
                    self._table.adoption.note_order(name)

    def take(self) -> list[Word]:
        """Return what the engine is to be told next, in the order in which it was heard."""
        return group_of(self._inbox)

    def dispatch(self, records: Sequence[JournalRecord]) -> None:
        """Send what these records ask for; they are durable.

        After a surprise that halts new risk, books and venue are compared anew.
        """
        self._requests.take(records)
        if self._engine is not None and any(isinstance(record.body, Command) for record in records):
            self._table.insist_on(ordered_to_end(self._engine))
        if self._start.facts is None:
            for record in records:
                self._start.take(record)
        if self._reconciliation.is_over and any(map(_halts, records)):
            self._compare_anew()
        self._work()

    async def run(self) -> None:
        """Listen and work until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._listen(), name="venue reports")
            group.create_task(self.copy.run(), name="drop copy")
            group.create_task(self._dead_man.keep(self._due.set), name="dead man's timer")
            while self._fault is None:
                self._due.clear()
                self._work()
                await self._wait()
            raise self._fault

    async def close(self, seconds_max: float, *, is_clean: bool = False) -> None:
        """Let go of what is under way and of the venue, even one that hangs; a clean end ends its timer."""
        self._is_closing = True
        for task in self._tasks:
            task.cancel()
        try:
            async with asyncio.timeout(seconds_max):
                if is_clean and not self._settings.keeps_dead_man:
                    await self._dead_man.take_back()
                await asyncio.gather(self._venue.aclose(), self.copy.aclose())
        except (TimeoutError, TradecoreError, OSError):
            return
        finally:
            self._budget.close()

    async def _wait(self) -> None:
        now_ns = _now_ns()
        times = [self._table.next_due_ns()]
        if self._is_connected:
            times.append(self._reconciliation.next_due_ns())
        if self._unasked or (self._requests.waits_for_room and self._under_way < UNDER_WAY_MAX):
            times.append(now_ns + self._allowance.wait_ns(now_ns, self._unasked.needs_room))
        known = [time_ns for time_ns in times if time_ns is not None]
        seconds = max((min(known) - now_ns) / 1e9, 0.001) if known else None
        try:
            async with asyncio.timeout(seconds):
                await self._due.wait()
        except TimeoutError:
            return

    def _work(self) -> None:
        """Start what is due; nothing any more once the line is fenced or being closed."""
        if self._is_closing or self.fence.fenced is not None:
            return
        now_ns = _now_ns()
        wall_ns = self._wall_ns()
        # What is known comes first: a doubt that is not asked about holds more than an order that waits.
        questions = list(self._reading.asks(now_ns))
        if self._is_connected:
            questions += self._reconciliation.asks(now_ns, is_settled=lambda: self._table.is_settled)
        fresh = [each for each in questions if not (each in self._asking or self._pages.is_reading(each))]
        more = (*self._pages.wanted(), *fresh)
        for question in self._unasked.let_out(more, lambda kind: self._allowance.ask(kind, now_ns, wall_ns)):
            self._asking.add(question)
            self._spawn(self._ask(question))
        sends, words = self._requests.due(now_ns, lambda about: self._may_send(about, now_ns, wall_ns))
        for send in sends:
            self._spawn(self._send(send))
        self._hear(words)

    def _may_send(self, about: type, now_ns: int, wall_ns: int) -> Leave:
        """Make room for one more request: what waits here waits before the time for its answer begins."""
        if self._under_way >= UNDER_WAY_MAX + (UNDER_WAY_CANCELS if about is Cancel else 0):
            return Leave.FULL
        if self._unasked.needs_room is not None and about is not Cancel:
            return Leave.FULL
        leave = self._allowance.ask(about, now_ns, wall_ns)
        self._under_way += leave is Leave.GO
        return leave

    def _hear(self, words: list[Word]) -> None:
        """Put what the engine can take into the inbox; for the rest books and venue are compared anew."""
        sound = [word for word in map(self._sound, words) if word is not None]
        if sound:
            self._news += len(sound)
            self._inbox.extend(sound)
            self._wake()
        if len(sound) < len(words):
            self._compare_anew()

    def _sound(self, word: Word) -> Word | None:
        """Return a word as the engine can take it; `None` for one that it cannot."""
        try:
            word.add_to(EventBatch(), 0)
        except InvalidValueError as error:
            self._table.letters.append(NotUnderstood(text=repr(word), why=str(error)))
            if isinstance(word, Told) and error.field == "reason":
                # Why an order ended is no reason not to take in that it did.
                return msgspec.structs.replace(word, reason=PLAIN_REASONS[word.report])
            return None
        return word

    def _compare_anew(self) -> None:
        """Take no new risk before books and venue were compared once more."""
        self._lost()
        self._is_connected = True
        self._begin()

    def _begin(self) -> None:
        self._reconciliation.begin(_now_ns(), has_open_orders=bool(self._table.orders))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (fault := task.exception()) is not None:
            self._fault = fault
        self._due.set()

    async def _send(self, send: Send) -> None:
        try:
            async with asyncio.timeout(self._settings.answer_seconds_max):
                answer = await self._request(send)
        except TimeoutError:
            answer = Lost(words=f"no answer within {self._settings.answer_seconds_max:g} s")
        except (TradecoreError, OSError) as error:
            answer = Lost(words=str(error))
        finally:
            self._under_way -= 1
        if never_left(answer):
            self._allowance.unsent(type(send.request))
        else:
            self._allowance.answered(type(send.request), answer, _now_ns())
        if isinstance(answer, Declined):
            self._declined_ns = self._wall_ns()
        self._hear(self._requests.answered(send.order_id, answer, _now_ns()))
        if self._requests.has_declined_exit:
            self._requests.has_declined_exit = False
            self._reconciliation.hurry(_now_ns())

    async def _request(self, send: Send) -> Answer:
        match send.request:
            case Submit() as request:
                return await self._venue.submit(request)
            case Cancel() as request:
                return await self._venue.cancel(request)
            case Replace() as request:
                return await self._venue.replace(request)
            case _ as never:
                assert_never(never)

    async def _ask(self, question: Question) -> None:
        """Ask, a few times where no answer comes; what wants to know asks anew after that."""
        try:
            page = await self._answered(question)
        finally:
            self._asking.discard(question)
        found = None if page is None else self._pages.add(question, page)
        if found is None:
            if page is None:
                self._pages.drop(question)
            self._due.set()
            return
        question, answered = found
        asked_ns, news, findings = answered.asked_ns, answered.news, answered.findings
        self.copy.hear(*findings.seen)
        if isinstance(question, Positions):
            self._compare(findings, has_news=news != self._news)
            return
        if isinstance(question, Balances):
            self._balance(findings, has_news=news != self._news)
            return
        for part in parts_of(question, findings):
            words = self._reading.found(question, part, asked_ns, _now_ns())
            self._hear(without_known(self._engine, words))
        if isinstance(question, OpenOrders) and self._engine is not None and not self._inbox:
            self._table.insist_on_lost({row["order_id"] for row in self._engine.kernel.open_orders()})
        self._look_at_others()
        self._reconciliation.found(question, findings)

    async def _answered(self, question: Question) -> Answered | None:
        """Return an answer, one page of it where it is long; `None` where none came: that is no evidence."""
        policy = self._settings.retries.data
        for tries in range(1, policy.tries_max + 1):
            asked_ns, news, wall_ns = _now_ns(), self._news, self._wall_ns()
            try:
                async with asyncio.timeout(self._settings.query_seconds_max):
                    findings = await self._venue.query(question)
            except (TimeoutError, TradecoreError, OSError) as error:
                self._reconciliation.trouble = (
                    f"a question was not answered: {str(error) or type(error).__name__}"
                )
                at_least_ns = (error.retry_after_ns or 0) if isinstance(error, VenueError) else 0
                if at_least_ns:
                    self._allowance.hold(at_least_ns, _now_ns())
                self._allowance.asked(question, _now_ns(), has_answer=bool(at_least_ns))
            else:
                self._allowance.asked(question, _now_ns(), has_answer=True)
                if self._clock is not None:
                    self._allowance.clock.note(wall_ns, self._wall_ns(), findings.time_ns)
                return Answered(asked_ns, news, findings)
            if tries < policy.tries_max:
                await asyncio.sleep(policy.wait_ns(tries, at_least_ns, repr(question)) / 1e9)
                if self._allowance.ask(type(question), _now_ns(), self._wall_ns()) is not Leave.GO:
                    # What wants to know asks anew.
                    return None
        return None

    def _wall_ns(self) -> int:
        return 0 if self._clock is None else self._clock.now_ns()

    def _compare(self, findings: Findings, *, has_news: bool) -> None:
        engine = self._engine
        if engine is None or self._inbox:
            return
        tickets = self._table.tickets
        symbols = {number: engine.instruments[number].symbol for number in self._part.instruments}
        books = {instrument: engine.kernel.position_total_lots(instrument) for instrument in symbols}
        outcome = self._reconciliation.compare(
            findings,
            books,
            symbols,
            _now_ns(),
            has_news=has_news,
            adopts=lambda differences: self._adopt(engine, differences, findings),
            differ=None if tickets is None else partial(differing_tickets, engine.kernel, symbols, tickets),
        )
        self._follow(outcome)

    def _balance(self, findings: Findings, *, has_news: bool) -> None:
        engine = self._engine
        if engine is None or self._inbox:
            return
        books = {str(row["currency"]): int(row["balance"]) for row in engine.kernel.balances()}
        self._follow(self._reconciliation.balance(findings, books, _now_ns(), has_news=has_news))

    def _follow(self, outcome: Outcome) -> None:
        if self._table.adoption is not None and self._reconciliation.step is Step.AGREED:
            self._table.adoption.note_agreed()
        if outcome is Outcome.PARTED:
            self._inbox.append(Reconciling(self._part.first_instrument))
            self._wake()
        if outcome is Outcome.AGREED:
            self.copy.agreed()
            self._let_go()
        self._due.set()

    def _let_go(self) -> None:
        """Let new risk go on, where books and venue agree and the second reader does not say otherwise."""
        if self._reconciliation.is_over and not self._waits_for_copy:
            self._inbox.append(Reconciled(self._part.first_instrument))
            self._wake()

    def _adopt(self, engine: Engine, differences: tuple[Difference, ...], findings: Findings) -> bool:
        """Take over positions that others made; return whether that is all that differs."""
        if self._table.adoption is None:
            return False
        seen = [each for each in findings.seen if isinstance(each, PositionSeen)]
        words = self._table.adoption.positions(
            differences,
            {each.instrument: each for each in seen if each.instrument is not None},
            engine.kernel.mark_ticks,
            is_first=not engine.kernel.outside(self._part.number)["has_agreed"],
            time_ns=findings.time_ns or engine.now_ns,
        )
        self._hear(list(words))
        return bool(words)

    def _look_at_others(self) -> None:
        """Compare soon where others have traded; an answer that is under way may be older than that."""
        if self._reading.has_foreign_news:
            self._reading.has_foreign_news = False
            self._news += 1
            self._reconciliation.hurry(_now_ns())

    async def _listen(self) -> None:
        async for message in self._venue.reports():
            self.copy.hear(message)
            match message:
                case StreamLost(words=words):
                    self._stream_trouble = f"the stream of reports: {words}" if words else ""
                    self._lost()
                case StreamReady():
                    self._is_connected, self._stream_trouble = True, ""
                    self._begin()
                case NotUnderstood():
                    # It may have been a fill.
                    self._hear(self._reading.told(message, _now_ns()))
                    self._compare_anew()
                case OrderSeen() | FillSeen() | BalanceSeen():
                    self._hear(self._reading.told(message, _now_ns()))
                    self._look_at_others()
            self._due.set()

    def _lost(self) -> None:
        """What happens now may not be told: no new risk until books and venue were compared."""
        if self._reconciliation.is_over:
            self._inbox.append(Reconciling(self._part.first_instrument))
            self._wake()
        self._is_connected = False
        self._reconciliation.stop()


def _halts(record: JournalRecord) -> bool:
    return isinstance(record.body, Surprise) and record.body.halts


def _nothing() -> None:
    """Wake nobody: there is no session yet."""


def _now_ns() -> int:
    """Return a time that never jumps, for waits."""
    return int(asyncio.get_running_loop().time() * 1e9)
