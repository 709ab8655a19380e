"""Watches a live engine by `strace`, and tells what left before it was durable or was approved."""

import sys

from promises.part import Asked, Gathered, Row, main
from promises.wire.look import look
from promises.wire.watched import watched

RATE = 500
_SHOWN = 10


def wire(asked: Asked) -> Gathered:
    """Let an engine make so many orders, and look at each byte that left."""
    with watched(orders=asked.size, rate=RATE, seed=asked.seed, seconds_max=asked.seconds_max) as found:
        seen = look(found)
        differences = found.differences
    about = f"seed {asked.seed}"
    rows = (
        Row(
            promise="P3",
            what="messages to the venue that name an order: its record was synced before the first byte left",
            tried=seen.sends,
            found=len(seen.early),
            worst=about if seen.early else "",
        ),
        Row(
            promise="P30",
            what=f"{seen.orders} new orders on the wire, {seen.approved} approved by risk and let go; "
            f"{seen.withdrawn} more were taken back before they left",
            tried=seen.orders,
            found=len(seen.unequal),
            worst=about if seen.unequal else "",
        ),
    )
    short = f"{seen.orders} orders in {asked.seconds_max:g} seconds" if seen.orders < asked.size else ""
    failures = (*seen.early[:_SHOWN], *seen.unequal[:_SHOWN], *differences[:_SHOWN])
    return Gathered(rows=rows, failures=failures, bounded_by=short)


if __name__ == "__main__":
    sys.exit(main("wire", 4_000, wire))
