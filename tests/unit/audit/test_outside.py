"""The auditor follows trades at a venue outside beyond their order, or told anew before they are told."""

import msgspec
import pytest

from support.audited import audited, frames_in
from support.remembered import NAMES, SPEC, STEP_NS, BuysAndSells, live_engine
from tradecore.domain import EventBatch
from tradecore.domain.journal import encode_session
from tradecore.runtime import SessionConfig
from tradecore_audit import records as r
from tradecore_audit.frames import records_of

NAMED = {"venue_order_id": "V1"}
ANEW = NAMED | {"trade_id": "T1", "revision": 1, "price_ticks": 99}


def fill(lots, trade_id="T1", **fields):
    """Return what tells of a trade of the one order."""
    return ("fill", NAMED | {"trade_id": trade_id, "price_ticks": 100, "lots": lots} | fields)


def kept(*told):
    """Return the records of a live engine whose order of one lot is told of."""
    engine, now_ns = live_engine(BuysAndSells()), STEP_NS
    spec = msgspec.structs.replace(SPEC, mode="live")
    named = ({"class": "remembered.py:BuysAndSells", "name": NAMES[0]},)
    config = SessionConfig(engine=spec, strategies=named, feed={"kind": "steps"})
    frames = frames_in(encode_session(0, "0", config.encoded()))
    batch = EventBatch()
    batch.agreement(now_ns, 0, True)
    batch.quote(now_ns + 1, 0, 99, 50, 101, 50)
    engine.feed(batch)
    engine.run()
    batch = EventBatch()
    for number, (report, fields) in enumerate(told, 2):
        batch.venue_report(now_ns + number, 0, 1, report, **fields)
    engine.feed(batch)
    engine.run()
    return records_of(0, frames + frames_in(engine.take_frames()))


def fills(taken):
    """Return the lots of each fill that was booked."""
    return [each.body.traded.lots for each in taken if isinstance(each.body, r.Report) and each.body.traded]


@pytest.mark.parametrize(
    ("told", "lots"),
    [
        ([fill(3)], [3]),
        ([("fill", ANEW | {"lots": 4}), fill(1)], [1]),
        ([("fill", ANEW | {"lots": 4, "filled_lots": 1}), fill(1)], [1]),
        ([("busted", ANEW | {"filled_lots": 1}), fill(1)], [1]),
    ],
)
def test_a_trade_is_one_fill_with_the_numbers_that_were_told_of_it(told, lots):
    """What fills beyond the order is booked whole, and a correction beside it."""
    taken = kept(*told)
    assert [finding.line for finding in audited(taken).findings.kept] == []
    assert fills(taken) == lots
