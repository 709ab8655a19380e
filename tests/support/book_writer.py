"""A plain venue that keeps a whole book and sends the part of it that a channel shows, with checksums."""

import json
import random
import zlib
from datetime import UTC, datetime

START_NS = 1_700_000_000_000_000_000
STEP_NS = 250_000_000


class PlainVenue:
    """Sends a snapshot and then what changed among the `depth` best levels of each side.

    Prices are whole tenths, sizes whole hundred-millionths.
    """

    def __init__(self, venue, symbol, depth, channel=None, seed=1):
        self.venue, self.symbol, self.depth, self.channel = venue, symbol, depth, channel
        self.random = random.Random(seed)
        self.bids = {10_000 - at: self.random.randint(1, 9) * 10**8 for at in range(1, 3 * depth)}
        self.asks = {10_000 + at: self.random.randint(1, 9) * 10**8 for at in range(1, 3 * depth)}
        self.time_ns = START_NS

    def shown(self):
        """Return the best levels of both sides, best first."""
        bids = sorted(self.bids.items(), reverse=True)[: self.depth]
        return bids, sorted(self.asks.items())[: self.depth]

    def messages(self, count):
        """Yield (time_ns, message) pairs: a snapshot, then changes."""
        before = self.shown()
        yield self.time_ns, self.write(before, is_snapshot=True)
        for _ in range(count):
            self.time_ns += STEP_NS
            side, away = self.random.choice([(self.bids, -1), (self.asks, 1)])
            price = 10_000 + away * self.random.randint(1, self.depth + 5)
            if price in side and self.random.random() < 0.6:
                del side[price]
            else:
                side[price] = self.random.randint(1, 9 * 10**8)
            after = self.shown()
            changes = [
                # What fell out at the far end is not told; what entered from there is.
                [(p, s) for p, s in new if (p, s) not in old] + [(p, 0) for p, _ in old if p not in there]
                for old, new, there in zip(before, after, (self.bids, self.asks), strict=True)
            ]
            before = after
            yield self.time_ns, self.write(changes, is_snapshot=False)

    def write(self, sides, *, is_snapshot):
        """Write a message in the venue's own form."""
        if self.venue == "okx":
            return self._okx(sides, is_snapshot)
        return (
            self._kraken_v1(sides, is_snapshot)
            if self.venue == "kraken_v1"
            else self._kraken(sides, is_snapshot)
        )

    def _kraken(self, sides, is_snapshot):
        levels = [[{"price": p / 10, "qty": s / 10**8} for p, s in side] for side in sides]
        entry = {"symbol": self.symbol, "bids": levels[0], "asks": levels[1], "checksum": self._kraken_sum()}
        if not is_snapshot:
            entry["timestamp"] = datetime.fromtimestamp(self.time_ns / 1e9, UTC).isoformat()
        kind = "snapshot" if is_snapshot else "update"
        return json.dumps({"channel": "book", "type": kind, "data": [entry]})

    def _kraken_v1(self, sides, is_snapshot):
        stamp = f"{self.time_ns // 10**9}.{self.time_ns % 10**9 // 1000:06d}"
        bids, asks = ([[f"{p / 10:.1f}", f"{s / 10**8:.8f}", stamp] for p, s in side] for side in sides)
        names = ("as", "bs") if is_snapshot else ("a", "b")
        parts = [{names[0]: asks, names[1]: bids}] if is_snapshot else [{names[0]: asks}, {names[1]: bids}]
        parts = [part for part in parts if is_snapshot or next(iter(part.values()))] or [{"a": []}]
        if not is_snapshot:
            parts[-1]["c"] = str(self._kraken_sum())
        return json.dumps([336, *parts, f"book-{self.depth}", self.symbol])

    def _okx(self, sides, is_snapshot):
        levels = [
            [[f"{p / 10:g}", f"{s / 10**8:.8f}".rstrip("0").rstrip("."), "0", "1"] for p, s in side]
            for side in sides
        ]
        entry = {"asks": levels[1], "bids": levels[0], "ts": str(self.time_ns // 10**6)}
        message = {"arg": {"channel": self.channel, "instId": self.symbol}, "data": [entry]}
        if self.channel not in {"books5", "bbo-tbt"}:
            message["action"] = "snapshot" if is_snapshot else "update"
            entry["checksum"] = self._okx_sum()
        else:
            bids, asks = self.shown()
            entry["bids"], entry["asks"] = (
                [[f"{p / 10:g}", f"{s / 10**8:.8f}", "0", "1"] for p, s in side] for side in (bids, asks)
            )
        return json.dumps(message)

    def _kraken_sum(self):
        bids, asks = self.shown()
        text = "".join(f"{p}{s}" for side in (asks[:10], bids[:10]) for p, s in side)
        return zlib.crc32(text.encode())

    def _okx_sum(self):
        bids, asks = (
            [f"{p / 10:g}:" + f"{s / 10**8:.8f}".rstrip("0").rstrip(".") for p, s in side]
            for side in self.shown()
        )
        text = []
        for at in range(25):
            text += bids[at : at + 1] + asks[at : at + 1]
        total = zlib.crc32(":".join(text).encode())
        return total - 2**32 if total >= 2**31 else total


def as_lines(messages):
    """Write a capture as `tradecore` records it."""
    return "".join(f"{time_ns} {message}\n" for time_ns, message in messages)


def as_cryptofeed(messages):
    """Write a capture as cryptofeed does, its notes included."""
    notes = "wss://venue <-> 1700000000.1\nwss://venue <- 1700000000.2: {}\n"
    lines = (f"{time_ns // 10**9}.{time_ns % 10**9:09d}: {message}\n" for time_ns, message in messages)
    return notes + "".join(lines)


def as_document(messages):
    """Write a capture as one JSON document."""
    first, *rest = (message for _, message in messages)
    return f'{{"init": {first},\n "updates": [{", ".join(rest)}]}}'
