"""What may leave for a venue, and when: its budget, breakers, its word to wait, and its clock."""

import multiprocessing
import os
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.racing_budget import take_all
from tradecore.domain.errors import StorageError
from tradecore.domain.venue_findings import FillsSince, OpenOrders
from tradecore.domain.venue_requests import Cancel, Declined, Lost, NotDone, Replace, Submit, Taken
from tradecore.runtime.live.allowance import Allowance, Leave
from tradecore.runtime.live.breaker import Breaker
from tradecore.runtime.live.budget import BYTES, Bucket, BudgetRules, RequestBudget
from tradecore.runtime.live.clock_offset import ClockOffset
from tradecore.runtime.live.shared_budget import SharedBudget

SECOND_NS = 1_000_000_000
RULES = BudgetRules(per_second=10.0, burst=20.0)
FREE = BudgetRules(per_second=float("inf"), burst=1.0)


def allowance(rules=FREE, weights=None, window_ns=5 * SECOND_NS):
    """Return an allowance without a limit but for what a test says."""
    return Allowance(RequestBudget(rules), weights or {}, window_ns)


@given(st.integers(0, 2**32), st.floats(0.5, 200), st.floats(1, 300), st.floats(0, 0.9))
def test_no_second_has_more_weight_than_the_bucket_and_what_came_in(seed, per_second, burst, reserve):
    """Whatever is asked for, and whenever: within each span at most burst and rate."""
    chance = random.Random(seed)
    budget = RequestBudget(BudgetRules(per_second=per_second, burst=burst, reserve=reserve))
    now_ns, taken = 0, []
    for _ in range(300):
        now_ns += chance.choice((0, 1, 10**6, 10**8, 10**9))
        weight = chance.choice((1.0, 1.0, 2.0, 5.0))
        if budget.take(now_ns, weight, is_cancel=chance.random() < 0.3):
            taken.append((now_ns, weight))
    for first in range(0, len(taken), 7):
        weight = 0.0
        for time_ns, part in taken[first:]:
            weight += part
            assert weight <= burst + per_second * (time_ns - taken[first][0]) / 1e9 + 1e-6


def test_a_part_of_the_bucket_is_for_cancels_alone():
    """And the wait that is told is the one after which there is room."""
    budget = RequestBudget(RULES)
    count = 0
    while budget.take(0, is_cancel=False):
        count += 1
    assert count == 18
    assert [budget.take(0, is_cancel=True) for _ in range(3)] == [True, True, False]
    wait_ns = budget.wait_ns(0)
    assert not budget.take(wait_ns - 10**6, is_cancel=False)
    assert budget.take(wait_ns, is_cancel=False)


def test_a_request_as_heavy_as_the_bucket_goes_when_it_is_full():
    """The reserve cannot keep it for ever."""
    budget = RequestBudget(RULES)
    assert budget.take(0, 20.0, is_cancel=False)
    assert not budget.take(0, 20.0, is_cancel=False)
    assert budget.take(budget.wait_ns(0, 20.0), 20.0, is_cancel=False)


@given(st.binary(max_size=BYTES + 8), st.integers(0, 2**62))
def test_any_bytes_are_a_bucket_and_those_of_nobody_an_empty_one(data, now_ns):
    """A crash while it was written lets less out, never more."""
    assert Bucket.decoded(data, now_ns).left == 0 or Bucket.decoded(data, now_ns).encoded()[:8] == data[:8]


@given(st.integers(0, 2**40), st.integers(0, 2**60), st.integers(0, BYTES * 8 - 1))
def test_a_changed_bit_makes_a_bucket_empty(left, seen_ns, bit):
    """The check is over both numbers."""
    data = bytearray(Bucket(left, seen_ns).encoded())
    assert Bucket.decoded(bytes(data), seen_ns) == Bucket(left, seen_ns)
    data[bit // 8] ^= 1 << bit % 8
    assert Bucket.decoded(bytes(data), seen_ns) == Bucket(0, seen_ns)


def test_a_bucket_of_before_a_restart_of_the_machine_has_what_was_left():
    """The clock began anew; one that is a little behind is another process."""
    assert Bucket.decoded(Bucket(7, 3_600 * SECOND_NS).encoded(), 0) == Bucket(7, 0)
    assert Bucket.decoded(Bucket(7, SECOND_NS).encoded(), 0) == Bucket(7, SECOND_NS)
    ahead = Bucket(7, SECOND_NS).filled(RULES, 0)
    assert ahead == Bucket(7, SECOND_NS), "nothing comes in twice"


def test_a_bucket_in_a_file_outlives_its_process_and_is_shared(tmp_path):
    """Two lines and the next start have one bucket."""
    one, two = (SharedBudget(tmp_path / "b", RULES) for _ in range(2))
    count = 0
    while one.take(0, is_cancel=False) and two.take(0, is_cancel=False):
        count += 2
    assert count == 18
    one.close()
    one.close()
    two.close()
    again = SharedBudget(tmp_path / "b", RULES)
    assert not again.take(0, is_cancel=False)
    assert again.take(again.wait_ns(0), is_cancel=False)
    assert (tmp_path / "b").stat().st_mode & 0o077 == 0
    with pytest.raises(StorageError, match="cannot be opened"):
        SharedBudget(tmp_path / "none" / "b", RULES)


@pytest.mark.skipif(os.name == "nt", reason="locks of POSIX")
def test_a_bucket_that_another_process_holds_is_not_waited_for(tmp_path):
    """There is no room for a fraction of a second."""
    import fcntl

    budget = SharedBudget(tmp_path / "b", RULES)
    with (tmp_path / "b").open("rb") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        assert not budget.take(0, is_cancel=True)
        assert 0 < budget.wait_ns(0) < SECOND_NS // 1_000
    assert budget.take(0, is_cancel=True)


@pytest.mark.skipif(os.name == "nt", reason="locks of POSIX")
@pytest.mark.parametrize("name", ["pread", "pwrite"])
def test_a_disk_that_says_no_lets_nothing_out_but_cancels(tmp_path, monkeypatch, name):
    """Without the bucket nobody knows what has left; the lock is let go of, and it is tried again later.

    A cancel must not wait for a disk: those are counted in what was known last, and are no more than it has.
    """

    def refuse(*_):
        raise OSError(5, "input/output error")

    budget = SharedBudget(tmp_path / "b", RULES)
    assert budget.take(0, is_cancel=False)
    with monkeypatch.context() as patched:
        patched.setattr(os, name, refuse)
        assert budget.take(0, is_cancel=False) is False
        assert "nothing but cancels leaves" in budget.trouble
        assert sum(budget.take(0, is_cancel=True) for _ in range(100)) == 19
        assert budget.take(SECOND_NS // 10, is_cancel=True)
        assert budget.take(SECOND_NS // 10, is_cancel=False) is False
        if name == "pread":
            assert budget.wait_ns(0) == SECOND_NS
    assert budget.take(SECOND_NS, is_cancel=False)
    assert budget.trouble == ""
    other = SharedBudget(tmp_path / "b", RULES)
    assert other.take(0, is_cancel=False)
    free = SharedBudget(tmp_path / "free", BudgetRules(per_second=float("inf"), burst=1.0))
    assert free.take(0, 100.0, is_cancel=False)
    assert free.wait_ns(0) == 0


@pytest.mark.skipif(os.name == "nt", reason="locks of POSIX")
def test_a_new_bucket_has_its_room_on_the_disk_or_is_refused(tmp_path, monkeypatch):
    """A full disk is told at once, and not as other processes that use up all requests."""

    def refuse(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "pwrite", refuse)
        with pytest.raises(StorageError, match="cannot be written: No space left"):
            SharedBudget(tmp_path / "b", RULES)
    SharedBudget(tmp_path / "b", RULES).close()
    assert (tmp_path / "b").stat().st_size == BYTES


def test_a_venue_that_asks_to_be_left_alone_for_long_is_named():
    """Nothing leaves meanwhile, so `status` has to say why; a second or two is no news."""
    made = allowance()
    made.hold(2 * SECOND_NS, 0)
    assert made.ask(Cancel, 0, 0) is Leave.FULL
    assert made.trouble(0) == ""
    made.hold(3_600 * SECOND_NS, 0)
    assert made.trouble(0) == "the venue asks to be left alone for 1 h, by cancels, too"
    assert made.ask(Cancel, 3_600 * SECOND_NS, 0) is Leave.GO
    assert made.trouble(0) == ""


@pytest.mark.skipif(os.name == "nt", reason="locks of POSIX")
def test_processes_that_race_never_take_more_than_the_bucket(tmp_path):
    """Each weight is taken once."""
    context = multiprocessing.get_context("spawn")
    counts = context.Queue()
    racers = [context.Process(target=take_all, args=(tmp_path / "b", counts)) for _ in range(2)]
    for racer in racers:
        racer.start()
    taken = [counts.get(timeout=50) for _ in racers]
    for racer in racers:
        racer.join(10)
    assert sum(taken) == 300


def test_an_endpoint_that_fails_again_and_again_gets_one_probe_at_a_time():
    """For twice as long each time; any answer closes it."""
    breaker = Breaker(failures_max=3, first_ns=SECOND_NS, most_ns=4 * SECOND_NS)
    for _ in range(3):
        assert not breaker.is_open(0)
        breaker.note_failure(0)
    now_ns = 0
    for wait in (1, 2, 4, 4):
        assert breaker.is_open(now_ns + wait * SECOND_NS - 1)
        now_ns += wait * SECOND_NS
        assert not breaker.is_open(now_ns)
        breaker.note_sent()
        assert breaker.is_open(now_ns), "a second probe"
        breaker.note_failure(now_ns)
    breaker.note_answer()
    assert not breaker.is_tripped
    breaker.note_failure(0)
    assert not breaker.is_open(0)


def test_at_an_open_breaker_new_orders_end_and_the_rest_waits():
    """An order that waits for a probe would be too old when it goes; other endpoints go on."""
    made = allowance()
    for _ in range(5):
        assert made.ask(Submit, 0, 0) is Leave.GO
        made.answered(Submit, Lost(words=""), 0)
        made.answered(Cancel, NotDone(words=""), 0)
    assert made.ask(Submit, 0, 0) is Leave.NEVER
    assert made.ask(Cancel, 0, 0) is Leave.WAIT
    assert made.ask(Replace, 0, 0) is Leave.GO
    assert "submit, cancel: no answer for a while" in made.trouble(0)
    later_ns = made.wait_ns(0)
    assert later_ns <= SECOND_NS
    assert made.ask(Cancel, SECOND_NS, 0) is Leave.GO
    made.answered(Cancel, Declined(reason="unknown_order", words=""), SECOND_NS)
    assert made.ask(Submit, SECOND_NS, 0) is Leave.GO
    made.answered(Submit, Taken(), SECOND_NS)
    assert made.trouble(SECOND_NS) == ""


def test_when_the_venue_says_when_to_come_back_everything_waits():
    """Not the one request that heard it: the next one might be what a ban is for."""
    made = allowance()
    made.answered(Submit, NotDone(words="429", retry_after_ns=3 * SECOND_NS), 0)
    for about in (Submit, Cancel, OpenOrders):
        assert made.ask(about, 3 * SECOND_NS - 1, 0) is Leave.FULL
        assert made.ask(about, 3 * SECOND_NS, 0) is Leave.GO
    assert made.wait_ns(0) == 3 * SECOND_NS


def test_requests_have_the_weights_of_their_endpoints():
    """A question may cost as much as five orders."""
    made = allowance(BudgetRules(per_second=1.0, burst=10.0, reserve=0.0), {"fills": 5.0})
    assert [made.ask(FillsSince, 0, 0) for _ in range(3)] == [Leave.GO, Leave.GO, Leave.FULL]
    assert made.ask(Cancel, 0, 0) is Leave.FULL


@given(
    st.lists(st.tuples(st.integers(0, SECOND_NS), st.integers(0, SECOND_NS)), min_size=1, max_size=30),
    st.integers(-3_600 * SECOND_NS, 3_600 * SECOND_NS),
)
def test_the_truth_is_within_the_error_of_the_estimate(legs, offset_ns):
    """However long an answer took each way: the venue read its clock in between."""
    clock, now_ns = ClockOffset(), 10_000 * SECOND_NS
    for there_ns, back_ns in legs:
        asked_ns, now_ns = now_ns, now_ns + there_ns + back_ns
        clock.note(asked_ns, now_ns, asked_ns + there_ns + offset_ns)
    found = clock.estimate(now_ns)
    assert abs(found.offset_ns - offset_ns) <= found.error_at(now_ns) + 1
    assert found.error_ns <= min(sum(leg) for leg in legs) // 2 + 1 + 30 * 2 * SECOND_NS // 10_000


def test_near_the_venues_window_no_new_order_leaves_and_cancels_do():
    """A request whose time is refused proves nothing happened; but a stop would be late by all its tries."""
    made = allowance(window_ns=5 * SECOND_NS)
    now_ns = 1_000 * SECOND_NS
    made.clock.note(now_ns - SECOND_NS, now_ns, now_ns - 4 * SECOND_NS)
    assert made.ask(Submit, 0, now_ns) is Leave.GO, "it may be within the error"
    made.clock.note(now_ns, now_ns, now_ns - 4 * SECOND_NS - 1_000)
    assert made.ask(Submit, 0, now_ns) is Leave.NEVER
    assert made.ask(Cancel, 0, now_ns) is Leave.GO
    assert "the venue's clock is 4 s behind this machine's" in made.trouble(now_ns)
    # Somebody sets the clock right: what contradicts the measures before counts.
    made.clock.note(now_ns, now_ns, now_ns)
    assert made.ask(Submit, 0, now_ns) is Leave.GO
    # An answer without a time, and a clock that was set back meanwhile, say nothing.
    made.clock.note(now_ns, now_ns, 0)
    made.clock.note(now_ns, now_ns - 1, now_ns)
    assert made.clock.estimate(now_ns).error_ns == 0
