"""A journal of the first format reads as it always did."""

from pathlib import Path

from tradecore.domain import EventBatch
from tradecore.domain.journal import (
    JournalFolder,
    decode_frames,
    events_from_frames,
)

GOLDEN = Path(__file__).parent / "format-1.journal"
INTENT = {
    "order_id": 1,
    "strategy": 2,
    "instrument": 3,
    "side": "buy",
    "order_kind": "limit",
    "price_ticks": 7,
    "lots": 5,
    "time_in_force": "gtc",
    "post_only": True,
    "reduce_only": False,
    "stop_loss_ticks": 4,
    "take_profit_ticks": 9,
    "decided_ns": 200,
}
REPORT = {"order_id": 1, "venue_time_ns": 299}


def test_every_kind_of_record_has_its_plain_values() -> None:
    """Integers stay integers (money in atto units), names are text, what is absent is left out."""
    records = [(kind, fields) for _, _, kind, fields in JournalFolder(GOLDEN).reader()]
    assert records[0] == ("session", {"engine_version": "0.1.0", "config": '{"mode":"paper"}'})
    assert records[2] == (
        "quote",
        {"instrument": 3, "bid_ticks": 7, "bid_lots": 1, "ask_ticks": 9, "ask_lots": 2, "update_id": 12},
    )
    assert records[4][0] == "book"
    assert records[4][1]["bids"] == [(7, 1), (6, 0)]
    assert records[4][1]["asks"] == [(9, 2)]
    assert records[10:12] == [("command", {"command": "flatten"}), ("clock", {})]
    assert records[12] == ("order", {**INTENT, "reference_ticks": 8})
    assert records[13][1]["buying_power_ppm"] == 999_900
    assert records[13][1]["closes"] == 1
    assert "lots" not in records[13][1]
    assert records[14][1]["trigger_ticks"] == 4
    assert records[15] == ("refused", {**INTENT, "rule": "notional_max", "limit": 2**127 - 1, "value": -1})
    assert records[16:18] == [
        ("cancel_request", {"order_id": 1, "strategy": 2}),
        ("replace_request", {"order_id": 1, "price_ticks": 8, "lots": 4}),
    ]
    assert records[21] == (
        "report",
        {
            **REPORT,
            "report": "fill",
            "price_ticks": 7,
            "lots": 5,
            "liquidity": "maker",
            "fee": -1_500_000_000_000_000_000_000,
        },
    )
    assert records[22] == ("report", {**REPORT, "report": "canceled", "reason": "killed"})
    assert records[26][1]["gates"] == [
        {"name": "spread", "limit": 2.5, "value": 1.0, "passed": True},
        {"name": "trend", "limit": 0.0, "value": -0.125, "passed": False},
    ]
    assert records[27:] == [("state_hash", {"hash": "ab" * 32}), ("session_end", {"reason": "end_of_data"})]


def test_a_replay_gets_the_events_of_the_journal_and_nothing_else() -> None:
    """The batch has the eleven events with their times; sessions, orders and reports are passed over."""
    batch = EventBatch()
    frames = JournalFolder(GOLDEN).reader().read_frames(1 << 20)
    events_from_frames(frames, batch)
    assert (len(batch), batch.first_time_ns, batch.last_time_ns) == (11, 10, 20)
    assert len(decode_frames(frames)) == JournalFolder(GOLDEN).verify().records == 29
