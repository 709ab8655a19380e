"""The book the replay server answers snapshot requests from: plain, slow and obviously right."""

from decimal import Decimal

import msgspec


class DepthMessage(msgspec.Struct):
    """A diff or, with `snapshot_id`, a snapshot, as the venue sends it."""

    event: str | None = msgspec.field(default=None, name="e")
    last_id: int = msgspec.field(default=0, name="u")
    snapshot_id: int | None = msgspec.field(default=None, name="lastUpdateId")
    diff_bids: object = msgspec.field(default=None, name="b")
    diff_asks: object = msgspec.field(default=None, name="a")
    bids: list[tuple[str, str]] = []
    asks: list[tuple[str, str]] = []


class _Diff(msgspec.Struct):
    last_id: int = msgspec.field(name="u")
    bids: list[tuple[str, str]] = msgspec.field(name="b")
    asks: list[tuple[str, str]] = msgspec.field(name="a")


class ReplayBook:
    """The book of one symbol as far as the replay has got."""

    def __init__(self) -> None:
        self._sides: tuple[dict[str, str], dict[str, str]] = ({}, {})
        self.last_id = 0

    def apply_snapshot(self, message: DepthMessage) -> None:
        """Let a snapshot take the place of all that was known."""
        self._sides = (dict(message.bids), dict(message.asks))
        self.last_id = message.snapshot_id or 0

    def apply_diff(self, data: bytes | msgspec.Raw) -> None:
        """Apply a diff that is newer than the book."""
        diff = msgspec.json.decode(data, type=_Diff)
        if not self.last_id or diff.last_id <= self.last_id:
            return
        for side, levels in zip(self._sides, (diff.bids, diff.asks), strict=True):
            for price, size in levels:
                if Decimal(size):
                    side[price] = size
                else:
                    side.pop(price, None)
        self.last_id = diff.last_id

    def snapshot(self) -> bytes:
        """Return the book as the venue's REST answer."""
        bids, asks = self._sides
        return msgspec.json.encode(
            {
                "lastUpdateId": self.last_id,
                "bids": sorted(bids.items(), key=lambda level: Decimal(level[0]), reverse=True),
                "asks": sorted(asks.items(), key=lambda level: Decimal(level[0])),
            }
        )
