"""A venue that is down for hours is one line, a count each minute, and one line when it is back."""

import logging

from tradecore_binance.failure_log import FailureLog

SECOND_NS = 1_000_000_000


def told(caplog):
    """Take the lines that were logged since."""
    lines = [record.words for record in caplog.records]
    caplog.clear()
    return lines


def test_a_failure_is_told_once_and_counted_each_minute(caplog):
    """Two minutes of tries each 5 seconds: three lines, which count every one of them."""
    now_ns = 0
    failures = FailureLog(lambda: now_ns)
    with caplog.at_level(logging.INFO):
        for second in range(0, 121, 5):
            now_ns = second * SECOND_NS
            failures.failed("connection_lost", "wss://venue", "refused", 5 * SECOND_NS)
        assert told(caplog) == [
            "FEED: connection lost (wss://venue): refused; tried again in 5.0 s",
            "FEED: connection lost (wss://venue): refused (and 11 more like it since); tried again in 5.0 s",
            "FEED: connection lost (wss://venue): refused (and 11 more like it since); tried again in 5.0 s",
        ]
        failures.failed("connection_lost", "wss://venue", "refused", SECOND_NS)
        failures.mended("connection_lost", "wss://venue")
        assert told(caplog) == ["FEED: connection lost (wss://venue) is over, after 1 more like it"]
        failures.mended("connection_lost", "wss://venue")
        assert told(caplog) == []


def test_another_reason_and_another_thing_are_news(caplog):
    """What is counted is the same failure of the same thing."""
    failures = FailureLog(lambda: 0)
    with caplog.at_level(logging.INFO):
        for what, reason in (("BTC", "429"), ("BTC", "429"), ("BTC", "503"), ("ETH", "503"), ("BTC", "503")):
            failures.failed("snapshot_failed", what, reason, 0)
        failures.mended("snapshot_failed", "ETH")
    assert [line.split(";")[0] for line in told(caplog)] == [
        "FEED: snapshot failed (BTC): 429",
        "FEED: snapshot failed (BTC): 503",
        "FEED: snapshot failed (ETH): 503",
    ]
