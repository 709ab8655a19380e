"""What lets requests out, at its exact limits: buckets to the unit, waits to the nanosecond, clocks."""

import pytest

from tradecore.domain.backoff import doubled_ns
from tradecore.domain.venue_findings import OpenOrders, Positions
from tradecore.domain.venue_requests import Cancel, NotDone, Submit
from tradecore.runtime.live.allowance import Allowance, Leave
from tradecore.runtime.live.breaker import Breaker
from tradecore.runtime.live.budget import Bucket, BudgetRules, RequestBudget
from tradecore.runtime.live.clock_offset import ClockOffset

S = 1_000_000_000
# Ten may be taken at once, of which one is kept for cancels; two come in each second.
RULES = BudgetRules(per_second=2.0, burst=10.0, reserve=0.1)
FREE = BudgetRules(per_second=float("inf"), burst=1.0)


@pytest.mark.parametrize(
    ("left", "weight", "is_cancel", "stays"),
    [
        (2 * S, 1.0, False, S),
        (2 * S - 1, 1.0, False, None),
        (S, 1.0, True, 0),
        (S - 1, 1.0, True, None),
        (10 * S, 9.5, False, S // 2),
        (10 * S - 1, 9.5, False, None),
        (10 * S, 10.0, False, 0),
        (10 * S - 1, 10.0, False, None),
        (10 * S, 11.0, True, None),
    ],
)
def test_a_request_has_room_to_the_last_unit(left, weight, is_cancel, stays):
    """A heavy one leaves what it can of the part for cancels, and may take the whole bucket."""
    taken = Bucket(left, 5).taken(RULES, 5, weight, is_cancel=is_cancel)
    assert taken == (None if stays is None else Bucket(stays, 5))


@pytest.mark.parametrize(
    ("left", "seen_ns", "now_ns", "filled"),
    [
        (0, 0, 1, Bucket(2, 1)),
        (0, 0, S, Bucket(2 * S, S)),
        (9 * S, 0, S // 2, Bucket(10 * S, S // 2)),
        (9 * S, 0, S, Bucket(10 * S, S)),
        (3, 7, 6, Bucket(3, 7)),
    ],
)
def test_a_bucket_fills_with_time_up_to_its_brim(left, seen_ns, now_ns, filled):
    """A clock that went back brings nothing, and its time stays."""
    assert Bucket(left, seen_ns).filled(RULES, now_ns) == filled


@pytest.mark.parametrize("left", [0, 1, S, 2 * S - 1, 2 * S, 5 * S])
@pytest.mark.parametrize("weight", [1.0, 4.0, 10.0])
def test_after_the_wait_there_is_room_and_hardly_before(left, weight):
    """By at most two nanoseconds; where there is room already the wait is none."""
    bucket = Bucket(left, 0)
    wait_ns = bucket.wait_ns(RULES, 0, weight)
    assert bucket.taken(RULES, wait_ns, weight, is_cancel=False) is not None
    if wait_ns > 2:
        assert bucket.taken(RULES, wait_ns - 2, weight, is_cancel=False) is None
    has_room = bucket.taken(RULES, 0, weight, is_cancel=False) is not None
    assert (wait_ns == 0) == has_room


def test_a_bucket_of_one_process_begins_full_and_without_a_limit_lets_all_out():
    """A request without room changes nothing."""
    budget = RequestBudget(RULES)
    assert [budget.take(0, 3.0, is_cancel=False) for _ in range(4)] == [True, True, True, False]
    assert budget.take(0, is_cancel=True)
    assert not budget.take(0, is_cancel=True)
    free = RequestBudget(FREE)
    assert all(free.take(0, 100.0, is_cancel=False) for _ in range(100))
    assert free.wait_ns(0) == 0


def test_a_breaker_opens_at_the_fifth_failure_for_a_second_and_then_for_half_a_minute_at_most():
    """An answer before that begins the count anew."""
    breaker = Breaker()
    for _ in range(4):
        breaker.note_failure(0)
    assert not breaker.is_tripped
    breaker.note_answer()
    for count in range(5):
        assert (breaker.is_tripped, breaker.probe_ns) == (False, None), count
        breaker.note_failure(7)
    waits, now_ns = [], 7
    for _ in range(7):
        waits.append(breaker.probe_ns - now_ns)
        now_ns = breaker.probe_ns
        breaker.note_sent()
        assert breaker.probe_ns is None
        breaker.note_failure(now_ns)
    assert waits == [S, 2 * S, 4 * S, 8 * S, 16 * S, 30 * S, 30 * S]
    breaker.note_answer()
    for _ in range(5):
        breaker.note_failure(0)
    assert breaker.probe_ns == S


def test_what_was_under_way_when_a_breaker_opened_says_nothing_new():
    """Its failure neither opens it for longer nor moves the probe; the probe's own does."""
    breaker = Breaker(failures_max=1, first_ns=10, most_ns=1_000)
    breaker.note_failure(0)
    breaker.note_failure(5)
    assert breaker.probe_ns == 10
    assert breaker.is_open(9)
    assert not breaker.is_open(10)
    breaker.note_sent()
    breaker.note_failure(12)
    assert breaker.probe_ns == 32
    breaker.note_failure(13)
    assert breaker.probe_ns == 32


@pytest.mark.parametrize(
    ("asked_ns", "answered_ns", "venue_ns", "offset_ns", "error_ns"),
    [(100, 110, 205, 100, 5), (100, 111, 205, 100, 6), (100, 100, 40, -60, 0), (100, 101, 1, -99, 1)],
)
def test_a_measure_is_half_of_the_way_wrong_at_most(asked_ns, answered_ns, venue_ns, offset_ns, error_ns):
    """Rounded up, so that the truth is within it."""
    clock = ClockOffset()
    clock.note(asked_ns, answered_ns, venue_ns)
    found = clock.estimate(answered_ns)
    assert (found.offset_ns, found.error_ns, found.at_ns) == (offset_ns, error_ns, answered_ns)


@pytest.mark.parametrize(("answered_ns", "venue_ns"), [(99, 5), (110, 0), (110, -1)])
def test_a_clock_that_was_set_back_and_an_answer_without_a_time_say_nothing(answered_ns, venue_ns):
    """There is no estimate from them."""
    clock = ClockOffset()
    clock.note(100, answered_ns, venue_ns)
    assert clock.estimate(200) is None


def test_an_estimate_gets_worse_by_a_hundred_parts_in_a_million():
    """So a later measure that is a little worse may be the better one by now."""
    clock = ClockOffset()
    clock.note(1_000 * S, 1_000 * S + 1_000, 1_000 * S + 500)
    first = clock.estimate(1_000 * S + 1_000)
    later_ns = first.at_ns + S
    assert first.error_at(first.at_ns) == first.error_at(first.at_ns - S) == 500
    assert first.error_at(later_ns) == 500 + 100_000
    assert first.distance_ns(later_ns) == 0
    clock.note(later_ns - 200_000, later_ns, later_ns - 100_000)
    assert clock.estimate(later_ns).at_ns == later_ns
    clock.note(later_ns - 400_000, later_ns, later_ns - 200_000)
    assert clock.estimate(later_ns).error_ns == 100_000


def test_measures_that_contradict_each_other_leave_the_newest_alone():
    """Those that touch do not contradict each other."""
    clock = ClockOffset()
    clock.note(1_000, 1_010, 2_005)
    clock.note(1_000, 1_010, 2_015)
    assert clock.estimate(1_010).offset_ns == 1_000
    clock.note(1_000, 1_010, 2_016)
    assert clock.estimate(1_010).offset_ns == 1_011


def test_the_last_sixteen_measures_are_kept():
    """The seventeenth takes the place of the first, which was the best."""
    clock = ClockOffset()
    clock.note(1_000, 1_000, 2_000)
    for count in range(16):
        assert clock.estimate(1_000).error_ns == 0, count
        clock.note(990, 1_000, 1_995)
    assert clock.estimate(1_000).error_ns == 5


def test_the_distance_of_two_clocks_is_at_least_what_no_error_explains():
    """Ahead or behind."""
    for venue_ns in (1_000 + 80, 1_000 - 80):
        clock = ClockOffset()
        clock.note(990, 1_010, venue_ns)
        assert clock.estimate(1_010).distance_ns(1_010) == 70


def allowance(rules=FREE, window_ns=5 * S, **weights):
    """Return one that nothing holds yet."""
    return Allowance(RequestBudget(rules), weights, window_ns)


@pytest.mark.parametrize(("behind_ns", "leave"), [(4 * S, Leave.GO), (4 * S + 1, Leave.NEVER)])
def test_clocks_may_be_apart_by_four_fifths_of_the_window(behind_ns, leave):
    """Beyond that no new order leaves."""
    made = allowance(window_ns=5 * S)
    made.clock.note(1_000 * S, 1_000 * S, 1_000 * S - behind_ns)
    assert made.ask(Submit, 0, 1_000 * S) is leave
    assert bool(made.clock_trouble(1_000 * S)) == (leave is Leave.NEVER)


@pytest.mark.parametrize(("offset_ns", "way"), [(9 * S, "9 s ahead of this"), (-9 * S, "9 s behind this")])
def test_a_clock_that_is_wrong_is_told_with_its_way_and_the_window(offset_ns, way):
    """And what to do."""
    made = allowance(window_ns=5 * S)
    made.clock.note(1_000 * S, 1_000 * S, 1_000 * S + offset_ns)
    said = made.trouble(1_000 * S)
    assert f"the venue's clock is {way} machine's, and it takes requests within 5 s" in said


def test_what_waits_is_asked_about_again_at_the_right_time():
    """When the venue said, when a probe may leave, when the bucket has room; never at once, or very late."""
    made = allowance(RULES)
    assert made.wait_ns(0) == 200_000
    for _ in range(9):
        assert made.ask(Cancel, 0, 0) is Leave.GO
    assert made.wait_ns(0) == S // 2 + 1
    for _ in range(5):
        made.asked(OpenOrders(), 0, has_answer=False)
    assert made.wait_ns(0) == S
    made.hold(3 * S, 5)
    made.hold(2 * S, 5)
    assert made.wait_ns(6) == 3 * S - 1
    assert made.ask(Cancel, 3 * S + 4, 0) is Leave.FULL
    assert made.ask(Cancel, 3 * S + 5, 0) is Leave.GO


def test_a_question_without_an_answer_is_a_failure_of_its_own_endpoint():
    """An answer closes the breaker; other endpoints go on."""
    made = allowance()
    for _ in range(5):
        assert made.ask(OpenOrders, 0, 0) is Leave.GO
        made.asked(OpenOrders(), 0, has_answer=False)
    assert made.ask(OpenOrders, 0, 0) is Leave.WAIT
    assert made.ask(Positions, 0, 0) is Leave.GO
    assert made.trouble(0).startswith("open orders: no answer for a while")
    made.asked(OpenOrders(), 0, has_answer=True)
    assert made.ask(OpenOrders, 0, 0) is Leave.GO


@pytest.mark.parametrize(("retry_after_ns", "is_failure"), [(None, True), (0, True), (1, False)])
def test_a_venue_that_says_when_to_come_back_does_not_fail(retry_after_ns, is_failure):
    """It answered; what says nothing more than that nothing happened is a failure."""
    made = allowance()
    for _ in range(5):
        made.answered(Cancel, NotDone(words="busy", retry_after_ns=retry_after_ns), 0)
    assert (made.ask(Cancel, 2, 0) is Leave.WAIT) == is_failure


@pytest.mark.parametrize(
    ("tries", "wait_ns"), [(0, 3), (1, 6), (4, 48), (5, 96), (6, 100), (62, 100), (10_000, 100)]
)
def test_a_wait_is_doubled_up_to_its_longest(tries, wait_ns):
    """However many tries there were."""
    assert doubled_ns(3, 100, tries) == wait_ns
