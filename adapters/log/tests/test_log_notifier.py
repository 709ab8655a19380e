"""The log notifier tells people what is in the journal, one line an event."""

import io
import json
import logging
import re

import pytest

from support import records
from support.logs import logging_put_back
from tradecore.domain.narrator import Narrator
from tradecore.domain.spec import EngineSpec, InstrumentSpec
from tradecore_log import LogNotifier, RecentLines, configure, redirect

SPEC = EngineSpec(instruments=(InstrumentSpec(symbol="BTC-USD", tick_size="0.01", lot_size="0.001"),))
ATTO = 10**18


@pytest.fixture
def told(request):
    """Log to text and give it back; logging is as before afterwards."""
    stream = io.StringIO()
    with logging_put_back():
        configure(level=request.param[0], is_json=request.param[1], stream=stream)
        yield stream


def record(kind, **fields):
    """Make a record."""
    return records.record(kind, 3, 9, **fields)


def order(order_id, **more):
    """Make the values of an order."""
    terms = {"order_kind": "limit", "price_ticks": 700, "time_in_force": "gtc"}
    return {"order_id": order_id, "strategy": 0, "instrument": 0, "side": "buy", "lots": 5, **terms, **more}


REFUSED = order(2, rule="notional_max", limit=ATTO, value=2**80)
RECORDS = [
    record("order", **order(1)),
    record("report", report="accepted", order_id=1, venue_time_ns=1),
    record(
        "report",
        report="fill",
        order_id=1,
        venue_time_ns=1,
        lots=5,
        price_ticks=701,
        liquidity="maker",
        fee=ATTO,
    ),
    record("refused", **REFUSED),
    record("command", command="kill"),
]


def notifier():
    """Make a notifier for one strategy."""
    return LogNotifier(Narrator(SPEC, ["quoter\nof mine"]))


@pytest.mark.parametrize("told", [("info", True)], indirect=True)
async def test_lines_are_json_and_steps_between_are_left_out(told):
    """At level info a fill, a refusal and a command are told, the order's other steps are not."""
    notified = notifier()
    await notified.notify(RECORDS)
    await notified.aclose()

    lines = [json.loads(line) for line in told.getvalue().splitlines()]
    assert [line["event"] for line in lines] == ["report", "refused", "command"]
    assert [line["level"] for line in lines] == ["info", "warning", "warning"]
    fill, refused, _ = lines
    assert (fill["symbol"], fill["side"], fill["quantity"], fill["price"]) == (
        "BTC-USD",
        "buy",
        "0.005",
        "7.01",
    )
    assert (fill["fee"], fill["market_time"]) == ("1", "1970-01-01T00:00:00.000000009Z")
    assert refused["rule"] == "notional_max"
    assert refused["words"].startswith("refused for quoter")
    assert list(fill)[:4] == ["time", "level", "event", "words"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", fill["time"])


@pytest.mark.parametrize("told", [("debug", False)], indirect=True)
async def test_text_lines_are_words_and_stay_one_line_each(told):
    """A name with a line break in it cannot make two lines of one event."""
    await notifier().notify(RECORDS)

    lines = [
        line for line in told.getvalue().splitlines() if "asyncio" not in line and "selector" not in line
    ]
    assert len(lines) == len(RECORDS)
    assert "order 1 of quoter of mine approved: buy 0.005 BTC-USD limit at 7.00 gtc" in lines[0]
    assert "bought 0.005 BTC-USD at 7.01 as maker, fee 1.00 USD" in lines[2]
    assert "[market time 1970-01-01T00:00:00.000Z]" in lines[2]


@pytest.mark.parametrize("told", [("info", False)], indirect=True)
async def test_a_command_before_the_first_event_has_no_time_of_the_market(told):
    """It stands at 0 in the journal: the log does not speak of 1970."""
    early = records.record("command", 1, command="kill")
    await notifier().notify([early])
    assert "KILL SWITCH engaged" in told.getvalue()
    assert "market time" not in told.getvalue()


@pytest.mark.parametrize("told", [("info", False)], indirect=True)
async def test_refusals_alike_are_told_once_a_minute_and_counted(told, monkeypatch):
    """A strategy that asks at every quote does not fill the disk; the journal has each refusal."""
    now = 1000.0
    monkeypatch.setattr("tradecore_log.notifier.time.monotonic", lambda: now)
    notified = notifier()
    await notified.notify([record("refused", **REFUSED)] * 100)
    await notified.notify([record("refused", **{**REFUSED, "side": "sell"})])
    assert len(told.getvalue().splitlines()) == 2
    now = 1061.0
    await notified.notify([record("refused", **REFUSED)])

    assert "(and 99 more like it since)" in told.getvalue().splitlines()[-1]


@pytest.mark.parametrize("told", [("info", False)], indirect=True)
def test_a_message_of_many_lines_is_one_line(told):
    """As asyncio's own errors are: whoever reads line by line sees one event."""
    logging.getLogger("any").error("Exception in callback\nhandle: <x>")
    assert told.getvalue().count("\n") == 1


@pytest.mark.parametrize("told", [("info", False)], indirect=True)
def test_the_last_lines_are_kept_and_the_stream_can_be_changed(told):
    """Last words have the end of the log; a live view takes the lines and gives the stream back."""
    recent, other = RecentLines.attached(2), io.StringIO()
    log = logging.getLogger("any")
    for number in range(3):
        log.info("event", extra={"number": number})
    before = redirect(other)
    log.info("elsewhere")
    assert before is told
    assert redirect(before) is other
    recent.detach()
    log.info("unheard")

    assert [line.rpartition(" info    ")[2] for line in recent.lines()] == ["event number=2", "elsewhere"]
    assert "elsewhere" in other.getvalue()
    assert "elsewhere" not in told.getvalue()


async def test_lines_for_people_do_not_pay_for_values_of_machines(monkeypatch):
    """Values are made for JSON lines alone: they were half of the work of a line."""
    narrator = Narrator(SPEC, ["quoter"])
    made, values = [], narrator.values
    monkeypatch.setattr(narrator, "values", lambda noted: made.append(noted) or values(noted))
    with logging_put_back():
        for is_json in (False, True):
            stream = io.StringIO()
            configure(level="info", is_json=is_json, stream=stream)
            recent = RecentLines.attached(3)
            await LogNotifier(narrator).notify(RECORDS[:3])
            recent.detach()
            assert len(recent.lines()) == 1
            assert ('"quantity"' in stream.getvalue()) is is_json
            assert len(made) == is_json
