"""An engine in live mode whose venue is whoever calls it: what it is told, and what its books say then."""

from tradecore.domain import AccountSpec, EngineSpec, EventBatch, InstrumentSpec, Matching, Mode, VenueSpec
from tradecore.domain.spec import RiskSpec, ScopeRiskSpec
from tradecore.engine import Engine
from tradecore.strategy import StrategyBinding

CASH = 10**15
ATTO = 10**18
# So large that it holds nothing; a scope follows its exposure once it has a limit.
_NO_LIMIT = str(10**18)
MARK = 100
FOLLOWED = RiskSpec(account=ScopeRiskSpec(gross_max=_NO_LIMIT))


class _Silent:
    """A strategy that does nothing by itself: who tries it out acts in its name."""


class Desk:
    """A live engine, its strategies' hands, and its venue's mouth.

    Parameters
    ----------
    strategies : int
        How many there are.
    instruments : int
        How many there are; each has a tick and a lot of 1, and costs about `MARK`.
    risk : RiskSpec
        Its limits.
    """

    def __init__(self, strategies: int = 1, instruments: int = 1, risk: RiskSpec = FOLLOWED) -> None:
        spec = EngineSpec(
            mode=Mode.LIVE,
            instruments=tuple(
                InstrumentSpec(symbol=f"I{number}", tick_size="1") for number in range(instruments)
            ),
            account=AccountSpec(cash=str(CASH)),
            venue=VenueSpec(matching=Matching.QUOTES),
            risk=risk,
        )
        everything = tuple(range(instruments))
        bindings = [
            StrategyBinding(name=f"s{number}", strategy=_Silent(), instruments=everything)
            for number in range(strategies)
        ]
        self.engine = Engine(spec, bindings, recording=True)
        self.kernel = self.engine.kernel
        self.hands = [handlers.context for handlers in self.engine._handlers]
        self.now_ns = 1
        self._batch = EventBatch()
        for number in everything:
            self._batch.quote(self.now_ns, number, MARK - 1, 10, MARK + 1, 10)
        self._batch.agreement(self.now_ns, 0, True)
        self._run()

    def _run(self) -> None:
        self.engine.feed(self._batch)
        self.engine.run()
        self._batch.clear()
        self.now_ns += 1

    def asks(self, strategy: int, name: str, *arguments, **wish):
        """Let a strategy ask for something: `buy`, `sell`, `cancel` or `replace`; return its answer."""
        self.kernel.begin_calls()
        try:
            answer = getattr(self.hands[strategy], name)(*arguments, **wish)
        finally:
            self.kernel.end_calls()
        self._run()
        return answer

    def tells(self, order_id: int, report: str, *, instrument: int = 0, **terms) -> None:
        """Let the venue say something about an order."""
        self._batch.venue_report(self.now_ns, instrument, order_id, report, **terms)
        self._run()

    def loses(self, order_id: int, instrument: int = 0) -> None:
        """Let the answer to a request be lost."""
        self._batch.outcome_lost(self.now_ns, instrument, order_id)
        self._run()

    def moves(self, instrument: int, mark: int) -> None:
        """Let the market move."""
        self._batch.quote(self.now_ns, instrument, mark - 1, 10, mark + 1, 10)
        self._run()

    def agrees(self) -> None:
        """Let books and venue have been compared, and be the same."""
        self._batch.agreement(self.now_ns, 0, True)
        self._run()

    def commands(self, name: str, **words) -> None:
        """Let an operator command something."""
        self._batch.command(self.now_ns, name, **words)
        self._run()

    def row_of(self, order_id: int):
        """Return what the books say of an order that is open, or `None`."""
        return next((row for row in self.kernel.open_orders() if row["order_id"] == order_id), None)

    def is_bound(self, order_id: int) -> bool:
        """Tell whether an order that is open may only close."""
        row = self.row_of(order_id)
        return row is not None and row["intent"]["reduce_only"]

    def cash(self) -> int:
        """Return the cash in atto units."""
        return self.kernel.money()["cash"]

    def forget_frames(self) -> None:
        """Let go of the records, which nobody here reads."""
        self.engine.take_frames()
