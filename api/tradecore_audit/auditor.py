"""The auditor: takes the records of a journal one after the other and says what does not follow from them."""

from collections.abc import Callable, Iterator
from typing import Any

from tradecore_audit import records as r
from tradecore_audit.books import Books
from tradecore_audit.findings import Findings
from tradecore_audit.frames import Taken
from tradecore_audit.limits import NOT_CHECKED, Limits
from tradecore_audit.orders import ENDS, AuditedOrder, Orders
from tradecore_audit.settings import Instrument, Settings
from tradecore_audit.stops import Stops
from tradecore_audit.told import Told

# From this version of behaviour on a journal says what was sent.
_SAYS_SENT = 4
_LATE_ANSWERS = frozenset({"cancel_rejected", "replace_rejected"})
_INPUTS = (
    r.Session, r.SessionEnd, r.Command, r.Mark, r.Funding, r.Opening, r.CashChange, r.Conversion, r.Reconciling,
    r.Reconciled, r.OutcomeLost, r.VenueReport, r.VenueRevision, r.Adopted,
)  # fmt: skip


class Auditor:
    """Works out orders, positions, money and limits from nothing but records.

    **Invariant:** what it keeps is bounded by what is open and by constants, however long the journal is.

    Attributes
    ----------
    findings : Findings
        What was found, and what was looked at.
    settings : Settings or None
        Those of the last session; `None` before the first.
    books : Books
        Positions and money.
    orders : Orders
        What is open.
    records, last_seq : int
        Records that were taken, market data left out, and the number of the last one.
    """

    def __init__(self) -> None:
        self.findings = Findings()
        self.settings: Settings | None = None
        self.records = 0
        self.last_seq = -1
        self._told = Told(self.findings)
        self._found: r.Adopted | None = None
        self._forced: set[int] = set()
        self._late: dict[int, int] = {}
        self._last_venue_order: int | None = None
        # An order that was approved while killed: the next record may say that its venue closes by force.
        self._unforced: tuple[int, int] | None = None
        self._takers: dict[type[r.Record], Callable[[Taken, Any], None]] = {
            r.Session: self._session,
            r.Command: self._command,
            r.Opening: self._opening,
            r.CashChange: self._change,
            r.Conversion: self._conversion,
            r.Reconciling: self._reconciling,
            r.Reconciled: self._reconciled,
            r.OutcomeLost: self._outcome_lost,
            r.Order: self._order,
            r.Refused: self._refused,
            r.ReplaceRequest: self._replace_request,
            r.Link: self._link,
            r.Sized: self._sized,
            r.Sent: self._sent,
            r.Report: self._report,
            r.Revision: self._revision,
            r.CashFlow: self._cash_flow,
            r.Liquidation: self._liquidation,
            r.Surprise: self._surprise,
        }

    def take(self, taken: Taken) -> None:
        """Take the next record."""
        self.records += 1
        self.last_seq = taken.seq
        body = taken.body
        if isinstance(body, _INPUTS):
            self._end_group()
            self._told.begin(taken.seq, body)
            self._last_venue_order = body.said.order_id if isinstance(body, r.VenueReport) else None
        if self._unforced is not None:
            self._settle_kill(body)
        taker = self._takers.get(type(body))
        if self.settings is None and not isinstance(body, r.Session):
            self._fail("record", taken.seq, "it comes before the first session, which says what its numbers mean")
        elif taker is not None:
            try:
                taker(taken, body)
            except LookupError as error:
                self._fail("record", taken.seq, f"it is about something that no session names: {error}")
        self._found = body if isinstance(body, r.Adopted) else None

    def end(self) -> None:
        """Check what only shows once nothing follows any more, for now."""
        self._end_group()
        if self.settings is None:
            return
        for place, lots in self.books.positions.items():
            of_lots = self.books.lots_of(place)
            same = lots == of_lots
            words = None if same else f"the fills of {self._named(place)} come to {lots} lots, its lots to {of_lots}"
            self.findings.check("position", None, words)
        for number, purse in enumerate(self.books.purses):
            name = self.settings.currencies[number]
            words = f"the money in {name} does not add up by {purse.drift} atto units" if purse.drift else None
            self.findings.check("conservation", None, words)

    def _end_group(self) -> None:
        self._settle_kill(None)
        self._told.end()
        for number, seq in self._late.items():
            self._fail("ended_order", seq, f"order {number} has ended, and it filled after that without a word")
        self._late.clear()

    # Sessions, stops and money.

    def _session(self, taken: Taken, body: r.Session) -> None:
        settings = Settings.read(body.config)
        if self.settings is None:
            self.settings = settings
            self.books = Books(settings)
            self.orders = Orders()
            self.stops = Stops(has_accounts=settings.has_accounts)
            self.limits = Limits(settings, self.books, self.orders)
            self._numbers = {name: number for number, name in enumerate(settings.currencies)}
        else:
            shape = [(each.symbol, each.unit, each.account) for each in settings.instruments]
            known = [(each.symbol, each.unit, each.account) for each in self.settings.instruments]
            if shape != known or settings.strategies != self.settings.strategies:
                self._fail("session", taken.seq, "a session of this journal has other instruments or strategies")
            self.settings = settings
        for name in sorted(self.limits.configured() & NOT_CHECKED):
            self.findings.leave(f"limit {name}", "it depends on prices or times that are not followed")

    def _command(self, taken: Taken, body: r.Command) -> None:
        self.stops.take(body)
        self.limits.take(body)

    def _opening(self, taken: Taken, body: r.Opening) -> None:
        self.books.open(body, self._numbers)
        self.orders.last_id = max(self.orders.last_id, body.last_order_id)

    def _change(self, taken: Taken, body: r.CashChange) -> None:
        self.books.change(self._numbers[body.currency], body)

    def _conversion(self, taken: Taken, body: r.Conversion) -> None:
        numbers = (self._numbers[each] for each in (body.currency, body.into, body.fee_currency or body.into))
        given, received, fee = numbers
        self.books.convert(given, received, fee, body)

    def _cash_flow(self, taken: Taken, body: r.CashFlow) -> None:
        self.findings.checked["cash_flow"] += 1
        self.books.flow(body.instrument, body.amount)

    def _reconciling(self, taken: Taken, body: r.Reconciling) -> None:
        self.stops.unreconciled.add(self._instrument(body.instrument).account)

    def _reconciled(self, taken: Taken, body: r.Reconciled) -> None:
        self.stops.unreconciled.discard(self._instrument(body.instrument).account)

    # Orders.

    def _order(self, taken: Taken, body: r.Order) -> None:
        number = body.order_id
        known = self.orders.find(number)
        self._check("order_number", taken.seq, known is None, f"order {number} was approved twice")
        if body.instrument >= len(self._settings.instruments) or body.strategy >= len(self._settings.strategies):
            self._fail("order_number", taken.seq, f"order {number} is of a strategy or an instrument that is not there")
            return
        order = AuditedOrder(body, taken.seq)
        order.is_forced = number in self._forced
        order.is_adopted = self._found is not None
        if not order.is_adopted and not order.is_forced:
            self._judge(taken.seq, order)
            self._check_exit(taken.seq, body)
        if known is not None and not known.end:
            self.orders.close(known, self._instrument(body.instrument).account, "twice")
        self.orders.add(order, self._instrument(body.instrument).account)

    def _judge(self, seq: int, order: AuditedOrder) -> None:
        """Hold an approval against stops and limits."""
        terms = order.terms
        place = (*order.place, self._instrument(terms.instrument).account)
        number = terms.order_id
        self.findings.checked["kill"] += 1
        if self.stops.is_killed(place) and not (terms.is_bound and self.stops.is_closing):
            self._unforced = (seq, number)
        if terms.is_bound:
            return
        self._check("pause", seq, not self.stops.is_paused(place), f"order {number} was approved while paused")
        is_compared = place[2] not in self.stops.unreconciled
        self._check("compared", seq, is_compared, f"order {number} adds risk before books and venue were compared")
        self._check_limits(seq, terms, terms.lots or 0)
        self.limits.note(terms)

    def _check_exit(self, seq: int, terms: r.Order) -> None:
        """Check that an exit is no larger than the order that it closes, and on the other side."""
        entry = self.orders.find(terms.closes) if terms.closes is not None else None
        if entry is None or terms.lots is None:
            return
        most = max(entry.lots or 0, entry.filled)
        words = f"order {terms.order_id} of {terms.lots} lots closes order {terms.closes} of {most}"
        is_exit = (entry.lots is None or terms.lots <= most) and terms.is_buy != entry.terms.is_buy
        self._check("child", seq, is_exit, words)

    def trades(self) -> Iterator[tuple[int, r.Traded]]:
        """Return the trades with a venue outside that are booked now, each with the number of its order."""
        return self._told.standing()

    def _settle_kill(self, body: r.Record | None) -> None:
        """Say that an order was approved while killed, unless its venue closes a position with it."""
        if self._unforced is None:
            return
        seq, number = self._unforced
        self._unforced = None
        if not (isinstance(body, r.Liquidation) and body.order_id == number):
            self.findings.add("kill", seq, f"order {number} was approved while killed")

    def _check_limits(
        self, seq: int, terms: r.Order, lots: int, replaced: AuditedOrder | None = None
    ) -> None:
        self.findings.checked["limit"] += 1
        held = self.books.positions.get((terms.strategy, terms.instrument), 0)
        if replaced is not None and 0 < lots <= -held * terms.sign:
            # It only closes, and an order that was approved before cannot be marked so any more.
            return
        for breach in self.limits.breaches(terms, lots, replaced=replaced):
            self.findings.add("limit", seq, f"order {terms.order_id} of {lots} lots: {breach.words}")

    def _refused(self, taken: Taken, body: r.Refused) -> None:
        self.orders.last_id = max(self.orders.last_id, body.terms.order_id)

    def _replace_request(self, taken: Taken, body: r.ReplaceRequest) -> None:
        order = self._known(taken.seq, body.order_id, "an amendment was asked for")
        if order is None or order.end:
            return
        if not order.terms.is_bound and not order.is_adopted and body.lots > order.stake:
            terms = _priced(order.terms, body.price_ticks or order.price_ticks)
            self._check_limits(taken.seq, terms, body.lots, order)
        order.replaces += 1
        order.asked = max(order.asked, body.lots)
        self.orders.recount(order)

    def _link(self, taken: Taken, body: r.Link) -> None:
        order = self.orders.find(body.order_id)
        if order is not None and body.after is not None:
            order.after = body.after

    def _sized(self, taken: Taken, body: r.Sized) -> None:
        order = self._known(taken.seq, body.order_id, "its size was told")
        if order is not None:
            order.lots = body.lots
            self.orders.recount(order)

    def _sent(self, taken: Taken, body: r.Sent) -> None:
        seq, number = taken.seq, body.order_id
        order = self.orders.open.get(number)
        is_approved = order is not None or number in self.orders.ended
        self._check("sent_unapproved", seq, is_approved, f"a {body.request} of order {number}, which was not approved")
        if order is None:
            if is_approved:
                self._fail("ended_order", seq, f"a {body.request} of order {number} was sent, which has ended")
            return
        self._check("shadow", seq, self._settings.mode != "shadow", f"a {body.request} was sent in shadow mode")
        if body.request == "new":
            self._sent_new(seq, order, body)
        elif body.request == "replace":
            self._sent_replace(seq, order, body)

    def _sent_new(self, seq: int, order: AuditedOrder, body: r.Sent) -> None:
        number = body.order_id
        self._check("sent_twice", seq, order.sent_seq is None, f"order {number} was sent before, by {order.sent_seq}")
        order.sent_seq = seq
        place = (*order.place, self._instrument(order.terms.instrument).account)
        is_stopped = not order.terms.is_bound and self.stops.is_killed(place)
        self._check("kill", seq, not is_stopped, f"order {number} was sent after a kill")
        if body.lots is None:
            return
        approved = order.terms.lots
        is_within = approved is None or body.lots <= approved
        self._check("sent_size", seq, is_within, f"order {number} was sent for {body.lots}, approved are {approved}")
        if order.after is None:
            return
        # A child is judged once more when it leaves.
        self._check_parent(seq, order, body.lots)
        if not order.terms.is_bound:
            self._check_limits(seq, _priced(order.terms, order.price_ticks), body.lots, order)
        order.lots = body.lots
        self.orders.recount(order)

    def _check_parent(self, seq: int, order: AuditedOrder, lots: int) -> None:
        """Check that a child is no larger than what its parent has filled."""
        parent = self.orders.find(order.after) if order.after is not None else None
        if parent is None:
            return
        words = f"order {order.terms.order_id} comes to {lots} lots, and its parent has filled {parent.filled}"
        self._check("child", seq, lots <= parent.filled, words)

    def _sent_replace(self, seq: int, order: AuditedOrder, body: r.Sent) -> None:
        lots = body.lots or 0
        if lots > order.stake:
            place = (*order.place, self._instrument(order.terms.instrument).account)
            is_stopped = not order.terms.is_bound and self.stops.is_killed(place)
            self._check("kill", seq, not is_stopped, f"order {body.order_id} grew after a kill")
        order.asked = max(order.asked, lots)
        self.orders.recount(order)

    # What venues say.

    def _outcome_lost(self, taken: Taken, body: r.OutcomeLost) -> None:
        order = self.orders.open.get(body.order_id)
        if order is not None:
            order.is_unknown = True

    def _report(self, taken: Taken, body: r.Report) -> None:
        order = self._known(taken.seq, body.order_id, f"a report ({body.report})")
        if order is None:
            return
        is_fill = body.traded is not None
        if order.end and body.report in _LATE_ANSWERS:
            # The answer to a request that crossed the end changes nothing.
            return
        if order.end and not is_fill:
            self._fail("ended_order", taken.seq, f"order {body.order_id} has ended ({order.end}): {body.report}")
            return
        self.findings.checked["ended_order"] += 1
        if order.is_unknown:
            is_proof = self._last_venue_order == body.order_id or order.end != ""
            self._check("unknown", taken.seq, is_proof, f"order {body.order_id} is unknown, and no venue said {body.report}")
            order.is_unknown = False
        account = self._instrument(order.terms.instrument).account
        if is_fill:
            self._filled(taken.seq, order, body)
        elif body.report in ENDS:
            self.orders.close(order, account, body.report)
        elif body.report in ("replaced", "restated"):
            if body.report == "replaced":
                self._answered(order)
            order.amended(body)
            self.orders.recount(order)
        elif body.report == "replace_rejected":
            self._answered(order)
            self.orders.recount(order)

    def _answered(self, order: AuditedOrder) -> None:
        order.replaces = max(order.replaces - 1, 0)
        if not order.replaces:
            order.asked = 0

    def _filled(self, seq: int, order: AuditedOrder, body: r.Report) -> None:
        traded, number = body.traded, body.order_id
        if traded is None:
            return
        instrument = self._instrument(order.terms.instrument)
        if self._settings.mode == "live":
            self._told.booked(seq, body)
        elif self._fees_of(instrument).is_plain and not order.is_forced:
            value = abs(instrument.value(traded.price_ticks, traded.lots))
            fee = self._fees_of(instrument).fee(value, is_maker=traded.is_maker)
            self._check("fee", seq, fee == traded.fee, f"the fee of order {number} is {traded.fee}, its terms give {fee}")
        self._check_sent(seq, order)
        if order.end:
            self._late[number] = seq
        order.filled += traded.lots
        self._check("fill_size", seq, traded.lots > 0, f"a fill of order {number} of {traded.lots} lots")
        if order.lots is not None and order.filled > order.lots:
            self._late[number] = seq
        order.asked = max(order.asked - traded.lots, 0)
        self.books.fill(order.place, order.terms.sign, traded, order_id=number, closes=order.terms.closes)
        self.orders.recount(order)
        if order.lots is not None and order.filled >= order.lots:
            self.orders.close(order, instrument.account, "filled")

    def _check_sent(self, seq: int, order: AuditedOrder) -> None:
        """Check that an order that fills was sent, unless its venue makes it by itself."""
        if self._settings.behaviour < _SAYS_SENT or order.is_adopted or order.is_forced:
            return
        is_of_venue = self._settings.mode != "live" and order.terms.closes is not None
        is_sent = order.sent_seq is not None or is_of_venue
        self._check("fill_unsent", seq, is_sent, f"order {order.terms.order_id} filled, and it was never sent")

    def _revision(self, taken: Taken, body: r.Revision) -> None:
        order = self._known(taken.seq, body.order_id, "a trade was told anew")
        self._told.revised(taken.seq, body)
        sign = 1 if body.is_buy else -1
        if order is not None and (order.place, order.terms.sign) != ((body.strategy, body.instrument), sign):
            self._fail("venue_trade", taken.seq, f"order {body.order_id} is of another side or place than its trade")
        place = (body.strategy, body.instrument)
        self.books.revise(place, sign, body.was, body.now, order_id=body.order_id, closes=body.closes)

    def _surprise(self, taken: Taken, body: r.Surprise) -> None:
        self._told.surprised(body)
        if body.surprise in ("late_fill", "overfill", "impossible"):
            self._late.pop(body.order_id, None)
        if body.surprise in ("unknown_order", "impossible", "overfill", "forgotten_order", "forgotten_trade"):
            order = self.orders.find(body.order_id)
            number = order.terms.instrument if order is not None else None
            accounts = range(len(self._settings.accounts))
            self.stops.unreconciled |= (
                set(accounts) if number is None else {self._instrument(number).account}
            )

    def _liquidation(self, taken: Taken, body: r.Liquidation) -> None:
        self._forced.add(body.order_id)
        order = self.orders.find(body.order_id)
        if order is not None:
            order.is_forced = True

    # Words and places.

    @property
    def _settings(self) -> Settings:
        if self.settings is None:
            raise LookupError("no session has begun")
        return self.settings

    def _instrument(self, number: int) -> Instrument:
        return self._settings.instruments[number]

    def _fees_of(self, instrument: Instrument) -> Any:
        return self._settings.accounts[instrument.account].fees

    def _known(self, seq: int, number: int, what: str) -> AuditedOrder | None:
        order = self.orders.find(number)
        if order is None:
            self._fail("unapproved", seq, f"{what} of order {number}, which was not approved")
        return order

    def _check(self, rule: str, seq: int | None, is_kept: bool, words: str) -> None:
        self.findings.check(rule, seq, None if is_kept else words)

    def _fail(self, rule: str, seq: int | None, words: str) -> None:
        self.findings.check(rule, seq, words)

    def _named(self, place: tuple[int, int]) -> str:
        return f"{self._settings.strategies[place[0]]} in {self._instrument(place[1]).symbol}"


def _priced(terms: r.Order, price_ticks: int | None) -> r.Order:
    """Return the terms at the price of an amendment; the market's price at that moment is not in the record."""
    return r.Order(
        order_id=terms.order_id,
        strategy=terms.strategy,
        instrument=terms.instrument,
        is_buy=terms.is_buy,
        kind=terms.kind,
        price_ticks=price_ticks,
        lots=terms.lots,
        buying_power_ppm=terms.buying_power_ppm,
        reduce_only=terms.reduce_only,
        closes=terms.closes,
        decided_ns=terms.decided_ns,
        reference_ticks=0,
    )
