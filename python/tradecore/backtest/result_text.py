"""A result as people read it: lines of text, and a plain table for notebooks."""

import html
from collections.abc import Iterable, Mapping

import msgspec

from tradecore.domain.times import duration_text, plain_time

Rows = list[tuple[str, str]]

_MONEY = frozenset({"final_equity", "equity_peak", "commissions"})


def figure_rows(figures: msgspec.Struct, reasons: Mapping[str, str]) -> Rows:
    """Return the figures of a run by name, each as text; one that is absent says why."""
    return [
        (
            name.removesuffix("_ns"),
            _text(name, value) if value is not None else f"- ({reasons.get(name, '')})",
        )
        for name, value in msgspec.structs.asdict(figures).items()
        if name != "reasons"
    ]


def as_text(title: str, rows: Iterable[tuple[str, str]]) -> str:
    """Return rows as lines, the names in one column."""
    listed = list(rows)
    width = max((len(name) for name, _ in listed), default=0) + 2
    return "\n".join([title, *(f"{name:<{width}}{text}" for name, text in listed)])


def as_html(title: str, rows: Iterable[tuple[str, str]]) -> str:
    """Return rows as a table without style; every text is escaped."""
    lines = [
        f'<tr><th style="text-align: left">{html.escape(name)}</th>'
        f'<td style="text-align: right">{html.escape(text)}</td></tr>'
        for name, text in rows
    ]
    return f"<table><caption>{html.escape(title)}</caption><tbody>{''.join(lines)}</tbody></table>"


def _text(name: str, value: object) -> str:
    if name in {"start_ns", "end_ns"} and isinstance(value, int):
        return plain_time(value)
    if name.endswith("_ns") and isinstance(value, int):
        return duration_text(value)
    if isinstance(value, float):
        return f"{value:,.2f}" if name in _MONEY else f"{value:,.4f}"
    return str(value)
