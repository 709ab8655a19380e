"""The strategy of the live bench: so many orders a second, and when each was decided."""

import os
import time
from typing import Annotated

from tradecore import Book, Bounds, Context, OrderUpdate

_SECOND_NS = 1_000_000_000
# Older than this is a replay: what it decides was decided before.
_REPLAY_NS = 1_000_000_000
_BURST_MAX = 200


class Pace:
    """Takes one lot on both sides in turn; every tenth order rests far away, and ends at the next tenth.

    It decides by books and their times alone. The file that `BENCH_TIMES` names gets a line for each order
    and for each acknowledgement that the strategy is told: number, `d` or `a`, and the time of the machine.
    """

    per_second: Annotated[int, Bounds(ge=1, le=100_000)] = 1_000
    # A leak, for those who look for one: so many bytes are kept for each order.
    leak_bytes: Annotated[int, Bounds(ge=0, le=1_000_000)] = 0

    def on_start(self, ctx: Context) -> None:
        """Open the file of times."""
        self._began_ns = self._sent = 0
        self._resting = 0
        self._is_over = False
        self._seen_ns = 0
        self._open()

    def save_state(self, ctx: Context) -> dict[str, int | bool]:
        """Give what a start from a snapshot needs."""
        return {
            "began_ns": self._began_ns,
            "sent": self._sent,
            "resting": self._resting,
            "is_over": self._is_over,
            "seen_ns": self._seen_ns,
        }

    def load_state(self, ctx: Context, state: dict[str, int]) -> None:
        """Go on from there."""
        self._began_ns, self._sent = state["began_ns"], state["sent"]
        self._resting, self._seen_ns = state["resting"], state["seen_ns"]
        self._is_over = bool(state["is_over"])
        self._open()

    def _open(self) -> None:
        self._leaked: list[bytes] = []
        name = os.environ.get("BENCH_TIMES")
        self._times = open(name, "a", buffering=1 << 16) if name else None  # noqa: PTH123, SIM115 - kept open

    def on_book(self, ctx: Context, book: Book) -> None:
        """Send what is due."""
        bid, ask = book.best_bid_ticks, book.best_ask_ticks
        if bid is None or ask is None or self._is_over:
            return
        if not self._began_ns or ctx.now_ns - self._seen_ns > _SECOND_NS:
            # The first book, or the first one after a time without an engine.
            self._began_ns, self._sent = ctx.now_ns, 0
        self._seen_ns = ctx.now_ns
        due = (ctx.now_ns - self._began_ns) * self.per_second // _SECOND_NS - self._sent
        for _ in range(min(due, _BURST_MAX)):
            self._sent += 1
            self._send(ctx, bid, ask)
        if self._times is not None:
            self._times.flush()

    def on_order(self, ctx: Context, update: OrderUpdate) -> None:
        """Note the acknowledgement."""
        if update.what == "accepted":
            self._note(ctx, update.order_id, "a")

    def _send(self, ctx: Context, bid: int, ask: int) -> None:
        # Those that take are in turn by themselves: else one of ten would be missing on one side, and what is
        # held would grow without end.
        is_buy = (self._sent - self._sent // 10) % 2 == 0
        if self.leak_bytes:
            self._leaked.append(bytes(self.leak_bytes))
        send = ctx.buy if is_buy else ctx.sell
        if self._sent % 10:
            answer = send(quantity_lots=1, limit_ticks=ask if is_buy else bid, time_in_force="ioc")
        else:
            if self._resting:
                ctx.cancel(self._resting)
            answer = send(quantity_lots=1, limit_ticks=bid - 50_000 if is_buy else ask + 50_000)
            self._resting = answer if isinstance(answer, int) else 0
        if isinstance(answer, int):
            self._note(ctx, answer, "d")
        elif answer.rule == "paused":
            # The bench ends: an exit that rests would be in the way of what closes everything.
            self._is_over = True
            if self._resting:
                ctx.cancel(self._resting)

    def _note(self, ctx: Context, order_id: int, what: str) -> None:
        now_ns = time.time_ns()
        if self._times is not None and now_ns - ctx.now_ns < _REPLAY_NS:
            self._times.write(f"{order_id} {what} {now_ns}\n")
