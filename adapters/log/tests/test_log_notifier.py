"""The log notifier tells people what is in the journal, one line an event."""

import io
import json

import pytest

from support.logs import logging_put_back
from tradecore.domain.record import JournalRecord
from tradecore_log import LogNotifier, configure


@pytest.fixture
def told(request):
    """Log to text and give it back; logging is as before afterwards."""
    stream = io.StringIO()
    with logging_put_back():
        configure(level=request.param[0], is_json=request.param[1], stream=stream)
        yield stream


def record(kind, **fields):
    """Make a record."""
    return JournalRecord(seq=3, time_ns=9, kind=kind, fields=fields)


RECORDS = [
    record("order", order_id=1, lots=5),
    record("report", report="fill", order_id=1, lots=5, price_ticks=7),
    record("refused", order_id=2, rule="price_collar", name="a b\nc", limit=1, value=2**80),
    record("command", command="kill"),
]


@pytest.mark.parametrize("told", [("info", True)], indirect=True)
async def test_lines_are_json_and_steps_between_are_left_out(told):
    """At level info a fill, a refusal and a command are told, the order's other steps are not."""
    notifier = LogNotifier()
    await notifier.notify(RECORDS)
    await notifier.aclose()

    lines = [json.loads(line) for line in told.getvalue().splitlines()]
    assert [line["event"] for line in lines] == ["report", "refused", "command"]
    assert lines[1]["rule"] == "price_collar"
    assert str(lines[1]["value"]) == str(2**80)
    assert [line["level"] for line in lines] == ["info", "warning", "warning"]


@pytest.mark.parametrize("told", [("debug", False)], indirect=True)
async def test_text_lines_stay_one_line_each(told):
    """A value with blanks or line breaks is quoted, so a line is always one event."""
    await LogNotifier().notify(RECORDS)

    lines = [
        line for line in told.getvalue().splitlines() if "asyncio" not in line and "selector" not in line
    ]
    assert len(lines) == len(RECORDS)
    assert 'name_="a b\\nc"' in lines[2]
    assert "order seq=3 time_ns=9 order_id=1 lots=5" in lines[0]
