"""A strategy that always has something to lose: a position, and two orders that rest and are renewed."""

import os
import time
from pathlib import Path

STEP_NS = 200_000_000
FLAT_NS = 1_500_000_000
RESTING = 2
FAR_TICKS = 20_000
# While this file is in the folder of the run, a callback does not come back.
HANGS = "strategy-hangs"
# While this one is there, it keeps all descriptors that it can get.
LEAKS = "strategy-leaks"


class Holder:
    """Holds a position, and rests orders of which it renews the oldest again and again.

    What was closed it takes anew a while later, so that whoever looks sees the time in between.
    """

    def on_start(self, ctx):
        """Have nothing."""
        self.resting, self.next_ns, self.flat_ns, self.asked_ns = [], 0, 0, 0
        self.leaked = []

    def on_order(self, ctx, update):
        """Forget what has ended."""
        if update.is_closed and update.order_id in self.resting:
            self.resting.remove(update.order_id)

    def on_book(self, ctx, book):
        """Act five times a second."""
        while Path(HANGS).exists():
            time.sleep(0.05)
        self._leak()
        bid, now_ns = book.best_bid_ticks, ctx.now_ns
        if bid is None or now_ns < self.next_ns:
            return
        self.next_ns = now_ns + STEP_NS
        self._hold(ctx, now_ns)
        if len(self.resting) >= RESTING:
            ctx.cancel(self.resting[0])
        elif isinstance(order := ctx.buy(quantity=0.001, limit_ticks=bid - FAR_TICKS), int):
            self.resting.append(order)

    def _leak(self):
        """Open files and close none, once; close them when it is told to."""
        if not Path(LEAKS).exists():
            while self.leaked:
                if (descriptor := self.leaked.pop()) >= 0:
                    os.close(descriptor)
            return
        try:
            while not self.leaked or self.leaked[-1] >= 0:
                self.leaked.append(os.open(os.devnull, os.O_RDONLY))
        except OSError:
            self.leaked.append(-1)

    def _hold(self, ctx, now_ns):
        """Take a position that was closed a while ago."""
        if ctx.position_lots():
            self.flat_ns = 0
        elif not self.flat_ns:
            self.flat_ns = now_ns
        elif now_ns - max(self.flat_ns, self.asked_ns) > FLAT_NS:
            self.asked_ns = now_ns
            ctx.buy(quantity=0.001)
