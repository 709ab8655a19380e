"""Lays the rows of the peer bench out as one table."""

COLUMNS = (
    *("workload", "peer", "peer does", "tradecore does", "unit", "ratio", "goal"),
    *("p50/p99/p99.9 us: peer", "tradecore", "peak MB: peer", "tradecore", "answers agree"),
)
FOOTPRINT_COLUMNS = ("installed_mb", "import_s", "memory_mb")


def table(rows: list[dict]) -> str:
    """Write all rows."""
    lines = [COLUMNS, *map(cells, rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join("  ".join(map(str.ljust, line, widths)).rstrip() for line in lines)


def cells(row: dict) -> tuple[str, ...]:
    """Write one row as text."""
    if "not_run" in row:
        return (row["workload"], row["peer"], f"not run: {row['not_run']}", *[""] * (len(COLUMNS) - 3))
    agree = ("yes" if row["agree"] else "NO") + (f", {row['why']}" if row["why"] else "")
    peer = f"{row['peer']} {row['peer_version']}" + (f" ({row['note']})" if row.get("note") else "")
    return (
        *(row["workload"], peer),
        *(short(row["peer_per_second"]), short(row["per_second"]), row["unit"]),
        *(f"{row['ratio']:.2f}x", f"{row['goal']:.3g}x"),
        *(points(row["peer_delay_us"]), points(row["delay_us"])),
        *(str(row["peer_peak_mb"]), str(row["peak_mb"]), agree),
    )


def footprint_table(rows: list[dict]) -> str:
    """Write what installations weigh."""
    lines = ["B9: installed MB without numpy, s to import, MB held"]
    for row in rows:
        facts = row.get("not_run") or "  ".join(f"{row[name]:.3g}" for name in FOOTPRINT_COLUMNS)
        more = f"  a command {row['command_s']:.3g} s" if "command_s" in row else ""
        lines.append(f"{row['name']:16}  {facts}{more}")
    return "\n".join(lines)


def points(delays: dict[str, float] | None) -> str:
    """Write percentiles."""
    return "" if delays is None else " / ".join(f"{value:.3g}" for value in delays.values())


def short(value: float) -> str:
    """Write a figure with three digits and its magnitude."""
    for limit, sign in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= limit:
            return f"{value / limit:.3g}{sign}"
    return f"{value:.3g}"
