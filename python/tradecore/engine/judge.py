"""What stands between a strategy's wish to trade and risk: gates, and the trace of every decision."""

from collections.abc import Sequence

from tradecore._core import Kernel
from tradecore.decision import DecisionView, Gate, GateVerdict

HOLD, SUBMIT = 0, 1


class Judge:
    """Puts each wish of one strategy before its gates, and records what they said.

    It does not know the strategy's context: a context that is dropped is freed at once.

    Parameters
    ----------
    kernel : Kernel
        The engine, for prices, positions and the journal.
    strategy_id : int
        Position of the strategy in the engine.
    name : str
        Name of the strategy in the engine.
    gates : sequence of Gate
        The gates; each is asked, also after one said no.
    is_tracing : bool
        Whether decisions are recorded.
    """

    def __init__(
        self, kernel: Kernel, strategy_id: int, name: str, gates: Sequence[Gate], *, is_tracing: bool
    ) -> None:
        self._kernel = kernel
        self._strategy_id = strategy_id
        self._name = name
        self._gates = gates
        self._is_tracing = is_tracing
        self._notes: list[tuple[str, float, float, bool]] = []
        self._last_entry_ns: int | None = None

    def passes(self, instrument_id: int, is_buy: bool, lots: int) -> bool:
        """Ask every gate and record what each said; called by the order desk."""
        verdicts = self._verdicts(instrument_id, is_buy, lots)
        self.record(instrument_id, SUBMIT, "buy" if is_buy else "sell", verdicts)
        return all(verdict.passed for verdict in verdicts)

    def approved(self, reduce_only: bool) -> None:
        """Remember when the last entry was; called by the order desk."""
        if not reduce_only:
            self._last_entry_ns = self._kernel.now_ns

    def note(self, name: str, limit: float, value: float, passed: bool) -> None:
        """Keep what the next decision is based on."""
        if self._is_tracing:
            self._notes.append((name, limit, value, passed))

    def record(
        self, instrument_id: int, action: int, reason: str, verdicts: Sequence[GateVerdict] = ()
    ) -> None:
        """Record a decision with the notes so far."""
        if self._is_tracing:
            gates = self._notes + [(v.gate, v.limit, v.value, v.passed) for v in verdicts]
            self._kernel.trace(self._strategy_id, instrument_id, action, reason, gates)
            self._notes.clear()

    def _verdicts(self, instrument_id: int, is_buy: bool, lots: int) -> list[GateVerdict]:
        if not self._gates:
            return []
        bid_ticks, ask_ticks = self._kernel.best_ticks(instrument_id)
        view = DecisionView(
            now_ns=self._kernel.now_ns,
            strategy=self._name,
            instrument_id=instrument_id,
            is_buy=is_buy,
            quantity_lots=lots,
            position_lots=self._kernel.position_lots(self._strategy_id, instrument_id),
            best_bid_ticks=bid_ticks,
            best_ask_ticks=ask_ticks,
            last_entry_ns=self._last_entry_ns,
        )
        return [gate.check(view) for gate in self._gates]
