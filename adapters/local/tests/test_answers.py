"""What an answer proves: only what the venue said in its own words, and nothing else."""

import pytest

from tradecore.domain import EventBatch
from tradecore.domain.errors import InvalidValueError
from tradecore.domain.venue_errors import ErrorClass, ErrorTable, Proof
from tradecore.domain.venue_requests import Declined, Lost, NotDone, Taken
from tradecore_local.answers import ERRORS, answer_of

ORDER = (
    b'{"order":{"kind":"order","client_order_id":"a","venue_order_id":"7","symbol":"X","side":"buy","type":"limit",'
    b'"state":"open","price":"1","quantity":"1","open":"1","filled":"0","reason":"","time_ns":1}}'
)


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (200, ORDER, Taken),
        (200, ORDER[:50], Lost),
        (200, b"", Lost),
        (200, b"[]", Lost),
        (200, b"\xff", Lost),
        (200, b'{"x":' + b"[" * 100_000, Lost),
        (400, b"[" * 100_000, Lost),
        (200, b'{"code":"would_take","words":""}', Lost),
        (201, ORDER, Lost),
        (302, b"", Lost),
        (400, b'{"code":"would_take","words":"x"}', Declined),
        (400, b'{"code":"what_is_this","words":"x"}', Lost),
        (400, b"<html>", Lost),
        (404, b'{"code":"unknown_order","words":"x"}', Declined),
        (404, b'{"code":"no_such_path","words":"x"}', Lost),
        (409, b'{"code":"duplicate_id","words":"x"}', Lost),
        (401, b'{"code":"wrong_signature","words":"x"}', Declined),
        (401, b'{"code":"nonce_used","words":"x"}', Lost),
        (401, b'{"code":"outside_window","words":"x"}', NotDone),
        (403, b'{"code":"no_right","words":"x"}', Declined),
        (429, b"<html>", NotDone),
        (500, b'{"code":"would_take","words":"x"}', Lost),
        (502, b"<html>", Lost),
        (503, b"", Lost),
    ],
)
def test_an_answer_proves_what_it_says_and_no_more(status, body, expected):
    """Half an answer, a page of HTML, 5xx and an id that was seen before prove nothing."""
    assert isinstance(answer_of(status, {}, body), expected)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("3", 3), ("0", 0), (None, 1), ("soon", 1), ("-1", 1), ("9" * 9, 999_999_999), ("9" * 10, 1), ("²", 1)],
)
def test_the_wait_that_a_venue_asks_for_is_told(header, seconds):
    """A second where it asks for none that makes sense."""
    headers = {} if header is None else {"Retry-After": header}
    answer = answer_of(429, headers, b"")

    assert isinstance(answer, NotDone)
    assert answer.retry_after_ns == seconds * 10**9


def test_each_reason_of_the_table_is_one_that_the_engine_can_be_told():
    """A word that it does not know would be kept for people, and told as another one."""
    reasons = {each.reason for each in ERRORS.classes if each.reason}
    assert len(reasons) > 5
    for reason in reasons:
        EventBatch().venue_report(1, 0, 1, "rejected", venue_time_ns=1, reason=reason)


def test_a_table_of_errors_names_each_code_once_and_a_reason_for_refusals_alone():
    """What is not in it proves nothing."""
    lost = ErrorClass(code="x", proves=Proof.LOST, about="")
    with pytest.raises(InvalidValueError, match="once each"):
        ErrorTable([lost, lost])
    with pytest.raises(InvalidValueError, match="declined, only"):
        ErrorClass(code="x", proves=Proof.DECLINED, about="")
    with pytest.raises(InvalidValueError, match="declined, only"):
        ErrorClass(code="x", proves=Proof.LOST, reason="unsupported", about="")
    assert ErrorTable([]).answer("x", "words") == Lost(words="words")
