"""What the live demo came to: both sides beside each other, for people and for scripts."""

from decimal import Decimal

from tradecore_api.live_demo.show import Outcome
from tradecore_api.output import plain, print_json, print_values

_FIGURES = ("events", "orders", "fills", "refusals", "pnl", "journal_verified")
_DIFFERENCES_SHOWN = 20


def print_outcome(outcome: Outcome, *, journal: str | None, is_json: bool) -> None:
    """Print figures, the comparison and what it says; `journal` is the file that is kept, if one is."""
    if is_json:
        compared = outcome.comparison
        print_json(
            {
                **plain(outcome),
                "is_same": None if compared is None else compared.is_same,
                "journal": journal,
            }
        )
        return
    values = {name: outcome.engine.get(name) for name in _FIGURES}
    values |= {"journal": journal, "kills": outcome.kills, "faults": sum(outcome.faults.values())}
    print_values(values)
    for name, count in outcome.faults.items():
        print(f"  {name}: {count}")
    print()
    _print_comparison(outcome)


def _print_comparison(outcome: Outcome) -> None:
    compared = outcome.comparison
    if compared is None:
        print("Not compared: orders were still open or in doubt when the time for their end was over.")
        return
    rows: list[tuple[str, object, object]] = [
        ("orders", compared.orders_there, compared.orders_booked),
        ("fills", compared.fills_there, compared.fills_booked),
    ]
    there, booked = compared.positions_there, compared.positions_booked
    rows += [
        (f"position {symbol}", there.get(symbol, 0), booked.get(symbol, 0))
        for symbol in sorted(there.keys() | booked.keys())
    ]
    if not there and not booked:
        rows.append(("positions", "flat", "flat"))
    rows.append(("cash", compared.cash_there, compared.cash_booked))
    print(f"{'':<16}{'at the venue':>32}{'in the books':>32}")
    for name, left, right in rows:
        print(f"{name:<16}{_shown(left):>32}{_shown(right):>32}")
    for words in compared.differences[:_DIFFERENCES_SHOWN]:
        print(f"DIFFERS: {words}")
    if len(compared.differences) > _DIFFERENCES_SHOWN:
        print(f"DIFFERS: {len(compared.differences) - _DIFFERENCES_SHOWN} more")
    print("They differ." if compared.differences else "They are the same, to the last unit.")
    if not compared.fills_there and not compared.differences:
        print("But nothing traded, so that proves little: give it more time with --seconds.")


def _shown(value: object) -> str:
    return (
        f"{value:,f}"
        if isinstance(value, Decimal)
        else f"{value:,}"
        if isinstance(value, int)
        else str(value)
    )
