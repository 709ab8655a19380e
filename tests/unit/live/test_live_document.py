"""The numbers that docs/live.md promises are those of the program."""

import pytest

from support.shared import ROOT
from tradecore.runtime.live import breaker, reconciliation, venue_link, venue_reading
from tradecore.runtime.live.budget import BudgetRules
from tradecore.runtime.live.link_settings import LinkSettings
from tradecore.runtime.live.retries import ReportTimes, Retries

WORDS = {1: "one", 3: "three", 4: "four", 5: "five"}
TENTHS = {10: "tenth"}
PAGE = " ".join((ROOT / "docs" / "live.md").read_text(encoding="utf-8").split())


def seconds(time_ns):
    """Return nanoseconds as seconds, written short."""
    return f"{time_ns / 1e9:g}"


def waits(policy):
    """Return the first and the longest wait."""
    return f"{seconds(policy.first_ns)} to {seconds(policy.most_ns)} seconds"


PLACEMENT, MODIFICATION, DATA = Retries().placement, Retries().modification, Retries().data


@pytest.mark.parametrize(
    "promise",
    [
        f"orders {WORDS[PLACEMENT.tries_max]} times in all, with waits of {waits(PLACEMENT)}",
        f"amendments {WORDS[MODIFICATION.tries_max]} times, {waits(MODIFICATION)}",
        f"Questions are asked {WORDS[DATA.tries_max]} times, {waits(DATA)}",
        f"A {TENTHS[round(1 / BudgetRules(per_second=1.0, burst=1.0).reserve)]} is kept for cancels",
        f"does not answer {WORDS[breaker.FAILURES_MAX]} times in turn is left alone",
        f"for {WORDS[breaker.FIRST_NS // 10**9]} second and then up to {seconds(breaker.MOST_NS)}",
        f"{venue_link.UNDER_WAY_MAX}, and {venue_link.UNDER_WAY_CANCELS} more for cancels",
    ],
)
def test_a_number_of_the_document_is_that_of_the_program(promise):
    """A change of one is a change of both."""
    assert promise in PAGE


@pytest.mark.parametrize(
    ("value", "promise"),
    [
        (ReportTimes().default_ns, "is asked for**, after a minute or what `live.report_timeouts_ms` says"),
        (int(LinkSettings().check_seconds * 1e9), "They are compared again every minute"),
        (reconciliation.OVERLAP_NS, "fills since the last event less a minute"),
    ],
)
def test_what_the_document_calls_a_minute_is_one(value, promise):
    """In nanoseconds here."""
    assert value == 60 * 10**9
    assert promise in PAGE


def test_what_a_kill_insists_on_is_sent_again_each_second():
    """As the document says."""
    assert venue_reading._INSIST_NS == 10**9
    assert "after a kill or a flatten one that was refused, too, each second" in PAGE
