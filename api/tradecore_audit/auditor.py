"""The auditor: takes the records of a journal one after the other and says what does not follow from them."""

from collections.abc import Callable
from fractions import Fraction
from typing import Any

from tradecore_audit import records as r
from tradecore_audit.approvals import Approvals
from tradecore_audit.findings import Findings
from tradecore_audit.frames import Taken
from tradecore_audit.ground import Ground
from tradecore_audit.limits import NOT_CHECKED
from tradecore_audit.reports import Reports
from tradecore_audit.settings import Settings, rounded

_PPB = 10**9
_INPUTS = (
    r.Session, r.SessionEnd, r.Command, r.Mark, r.Funding, r.Opening, r.CashChange, r.Conversion,
    r.Reconciling, r.Reconciled, r.OutcomeLost, r.VenueReport, r.VenueRevision, r.Adopted,
)  # fmt: skip


class Auditor:
    """Works out orders, positions, money and limits from nothing but records.

    **Invariant:** what it keeps is bounded by what is open and by constants, however long the journal is.

    Attributes
    ----------
    findings : Findings
        What was found, and what was looked at.
    ground : Ground or None
        What has been worked out; `None` before the first session.
    records, last_seq : int
        Records that were taken, market data left out, and the number of the last one.
    """

    def __init__(self) -> None:
        self.findings = Findings()
        self.ground: Ground | None = None
        self.records = 0
        self.last_seq = -1
        self._found: r.Adopted | None = None
        # Funding that follows from the last rate, by strategy and instrument, and the mark prices it is by.
        self._due: dict[tuple[int, int], int] = {}
        self._marks: dict[int, int] = {}

    def take(self, taken: Taken) -> None:
        """Take the next record."""
        self.records += 1
        self.last_seq = taken.seq
        body = taken.body
        if isinstance(body, r.Session):
            self._session(taken.seq, body)
        elif self.ground is None:
            what = "it comes before the first session, which says what its numbers mean"
            self.findings.check("record", taken.seq, what)
        else:
            self._take(taken.seq, body)
        self._found = body if isinstance(body, r.Adopted) else None

    def end(self) -> None:
        """Check what only shows once nothing follows any more, for now."""
        if self.ground is None:
            return
        self._settle(self.ground)
        ground, books = self.ground, self.ground.books
        for place, lots in books.positions.items():
            of_lots = books.lots_of(place)
            what = f"the fills of {ground.named(place)} come to {lots} lots, its lots to {of_lots}"
            ground.check("position", None, lots == of_lots, what)
        for name, purse in zip(ground.settings.currencies, books.purses, strict=True):
            what = f"the money in {name} does not add up by {purse.drift} atto units"
            ground.check("conservation", None, not purse.drift, what)

    def _take(self, seq: int, body: r.Record) -> None:
        if isinstance(body, _INPUTS) and self.ground is not None:
            self._settle(self.ground)
            self._reports.begin(seq, body)
        self._approvals.settle(body)
        taker = self._takers.get(type(body))
        if taker is None:
            return
        try:
            taker(seq, body)
        except LookupError as error:
            self.findings.check("record", seq, f"it is about something that no session names: {error}")

    def _settle(self, ground: Ground) -> None:
        self._approvals.settle(None)
        self._reports.settle()
        for place, amount in self._due.items():
            what = f"{ground.named(place)} has {amount} of funding to come: none is booked"
            ground.fail("funding", self.last_seq, what)
        self._due.clear()

    def _session(self, seq: int, body: r.Session) -> None:
        settings = Settings.read(body.config)
        ground = self.ground
        if ground is None:
            ground = self.ground = Ground(self.findings, settings)
            self._approvals = Approvals(ground)
            self._reports = Reports(ground, self._approvals)
            self._takers = self._all_takers(ground)
        else:
            self._settle(ground)
            is_same = _shape(settings) == _shape(ground.settings)
            ground.check("session", seq, is_same, "it has other instruments, accounts or strategies")
            if is_same:
                ground.settings = settings
        for name in sorted(ground.limits.configured() & NOT_CHECKED):
            self.findings.leave(f"limit {name}", "it depends on prices or times that are not followed")

    def _all_takers(self, ground: Ground) -> dict[type[r.Record], Callable[[int, Any], None]]:
        approvals, reports = self._approvals, self._reports
        stops, books, numbers = ground.stops, ground.books, ground.numbers
        return {
            r.Command: self._command,
            r.Opening: lambda _, body: books.open(body, numbers),
            r.CashChange: lambda _, body: books.change(numbers[body.currency], body),
            r.Conversion: self._conversion,
            r.Reconciling: lambda _, body: stops.unreconciled.add(ground.instrument(body.instrument).account),
            r.Reconciled: lambda _, body: stops.unreconciled.discard(
                ground.instrument(body.instrument).account
            ),
            r.OutcomeLost: lambda _, body: reports.outcome_lost(body),
            r.Order: lambda seq, body: approvals.order(seq, body, is_adopted=self._found is not None),
            r.ReplaceRequest: approvals.replace_request,
            r.Link: lambda _, body: approvals.link(body),
            r.Sized: approvals.sized,
            r.Sent: approvals.sent,
            r.Liquidation: lambda _, body: approvals.liquidation(body),
            r.Report: reports.report,
            r.Revision: reports.revision,
            r.Surprise: lambda _, body: reports.surprise(body),
            r.Mark: self._mark,
            r.Funding: self._funding,
            r.CashFlow: self._cash_flow,
        }

    def _command(self, _: int, body: r.Command) -> None:
        if self.ground is not None:
            self.ground.stops.take(body)
            self.ground.limits.take(body)

    def _conversion(self, _: int, body: r.Conversion) -> None:
        if self.ground is not None:
            names = (body.currency, body.into, body.fee_currency or body.into)
            given, received, fee = (self.ground.numbers[name] for name in names)
            self.ground.books.convert(given, received, fee, body)

    def _mark(self, _: int, body: r.Mark) -> None:
        self._marks[body.instrument] = body.price_ticks

    def _funding(self, _: int, body: r.Funding) -> None:
        """Work out what positions pay or get, where the mark is known and a venue of ours books it."""
        mark_ticks = body.mark_ticks or self._marks.get(body.instrument, 0)
        ground = self.ground
        if ground is None or not mark_ticks or ground.settings.mode not in ("backtest", "paper"):
            return
        instrument = ground.instrument(body.instrument)
        for place, lots in ground.books.positions.items():
            if place[1] == body.instrument and lots:
                notional = abs(instrument.value(mark_ticks, lots))
                paid = rounded(Fraction(notional * body.rate_ppb * (1 if lots > 0 else -1), _PPB))
                if paid:
                    self._due[place] = -paid

    def _cash_flow(self, seq: int, body: r.CashFlow) -> None:
        ground, place = self.ground, (body.strategy, body.instrument)
        if ground is None:
            return
        if body.flow == "funding" and place in self._due:
            due = self._due.pop(place)
            what = f"{ground.named(place)} got {body.amount} of funding, rate and mark give {due}"
            ground.check("funding", seq, body.amount == due, what)
        ground.check_place(body.strategy, body.instrument)
        ground.books.flow(body.instrument, body.amount)


def _shape(settings: Settings) -> object:
    """Return what the numbers in records mean: it is the same in all sessions of a journal."""
    instruments = [(each.symbol, each.unit, each.account, each.settlement) for each in settings.instruments]
    return instruments, settings.strategies, settings.currencies
