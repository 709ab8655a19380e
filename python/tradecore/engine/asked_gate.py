"""A decision gate of a user as the native engine calls it."""

from collections.abc import Sequence

from tradecore.decision import Cooldown, DecisionView, Gate, GateVerdict, MaxSpread, TradingHours
from tradecore.engine.blame import gate_failure

# Exactly these: a class derived from one of them may judge otherwise.
_BUILT_IN = (Cooldown, MaxSpread, TradingHours)


class AskedGate:
    """Makes a view of its parts, asks the gate and blames it for whatever it raises.

    Parameters
    ----------
    gate : Gate
        The gate.
    names : sequence of str
        Names of the strategies, by their ids.
    """

    def __init__(self, gate: Gate, names: Sequence[str]) -> None:
        self._gate = gate
        self._names = names

    def __call__(
        self,
        now_ns: int,
        strategy_id: int,
        instrument_id: int,
        request: str,
        is_buy: bool,
        quantity_lots: int,
        price_ticks: int | None,
        position_lots: int,
        is_closing: bool,
        best_bid_ticks: int | None,
        best_ask_ticks: int | None,
        last_entry_ns: int | None,
    ) -> tuple[str, float, float, bool]:
        """Return name, limit, value and whether the request passes.

        Raises
        ------
        GateError
            When the gate raises anything, or answers with anything but a `GateVerdict`.
        """
        view = DecisionView(
            now_ns=now_ns,
            strategy=self._names[strategy_id],
            instrument_id=instrument_id,
            is_buy=is_buy,
            quantity_lots=quantity_lots,
            position_lots=position_lots,
            best_bid_ticks=best_bid_ticks,
            best_ask_ticks=best_ask_ticks,
            last_entry_ns=last_entry_ns,
            request=request,
            price_ticks=price_ticks,
            is_closing=is_closing,
        )
        try:
            return _parts(self._gate.check(view))
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            raise gate_failure(error, type(self._gate).__name__, view.strategy, now_ns) from error


def _parts(verdict: object) -> tuple[str, float, float, bool]:
    if not isinstance(verdict, GateVerdict):
        raise TypeError(f"check must return a GateVerdict, not {type(verdict).__name__}")
    return verdict.gate, float(verdict.limit), float(verdict.value), bool(verdict.passed)


def asked_gates(gates: Sequence[Gate], names: Sequence[str]) -> list[object]:
    """Return gates as the native engine takes them: its own by their settings, others as callables."""
    return [gate if type(gate) in _BUILT_IN else AskedGate(gate, names) for gate in gates]
