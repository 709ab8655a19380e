"""Bugs in what stands beside the orders of a live engine: fence, budget, clocks, second readers, watchdog."""

import time

from promises.planted.bug import Patches, Test
from tradecore.runtime.live.allowance import Allowance
from tradecore.runtime.live.breaker import Breaker
from tradecore.runtime.live.budget import Bucket
from tradecore.runtime.live.client_ids import ClientIds
from tradecore.runtime.live.clock_offset import ClockOffset
from tradecore.runtime.live.dead_man import DeadMan
from tradecore.runtime.live.drop_copy import DropCopy
from tradecore.runtime.live.fence import Fence
from tradecore.runtime.live.orphans import Orphans
from tradecore.runtime.live.reconciliation import Reconciliation
from tradecore.runtime.live.requests import Requests
from tradecore.runtime.system_clock import SystemClock
from tradecore_api.watchdog.pulse import Pulse, Standing

LIVE = "python/tradecore/runtime/live"
UNIT = "tests/unit/live"
BESIDE_ORDERS = Patches()


@BESIDE_ORDERS.bug(
    "P13",
    f"{LIVE}/fence.py",
    Test(f"{UNIT}/test_fence.py::test_the_epoch_of_the_machine_fences_at_the_next_request"),
)
def epoch_not_checked(monkeypatch):
    """An engine whose account another one has taken over goes on sending."""
    monkeypatch.setattr(Fence, "may_send", lambda self: True)


@BESIDE_ORDERS.bug(
    "P13",
    f"{LIVE}/fence.py",
    Test(f"{UNIT}/test_fence.py::test_one_report_of_another_engine_fences_for_good"),
)
def names_of_others_passed_over(monkeypatch):
    """Orders at the venue that only a copy of this engine can have made are no evidence."""
    monkeypatch.setattr(Fence, "_evidence", lambda self, number, order_id, last_order_id: "")


@BESIDE_ORDERS.bug(
    "P15",
    f"{LIVE}/client_ids.py",
    Test(
        "tests/unit/live/test_fence.py::test_orders_keep_the_names_of_the_epoch_in_which_they_were_numbered"
    ),
)
def names_of_any_epoch_are_ours(monkeypatch):
    """An order that another copy of the journal has made is taken for the one of the same number here."""

    def patched(self, name):
        known = self.epoch_and_number(name)
        return None if known is None else known[1]

    monkeypatch.setattr(ClientIds, "_number", patched)


@BESIDE_ORDERS.bug(
    "P23",
    f"{LIVE}/budget.py",
    Test(f"{UNIT}/test_allowance.py::test_a_part_of_the_bucket_is_for_cancels_alone"),
)
def reserve_of_cancels_given_away(monkeypatch):
    """New orders use the part of the venue's limit that is kept for cancels."""
    taken = Bucket.taken

    def patched(self, rules, now_ns, weight, *, is_cancel):
        return taken(self, rules, now_ns, weight, is_cancel=True)

    monkeypatch.setattr(Bucket, "taken", patched)


@BESIDE_ORDERS.bug(
    "P23",
    f"{LIVE}/budget.py",
    Test(f"{UNIT}/test_allowance.py::test_no_second_has_more_weight_than_the_bucket_and_what_came_in"),
)
def budget_that_fills_twice_as_fast(monkeypatch):
    """More requests leave than the venue allows."""
    filled = Bucket.filled

    def patched(self, rules, now_ns):
        later_ns = now_ns + max(now_ns - self.seen_ns, 0)
        return Bucket(filled(self, rules, later_ns).left, max(now_ns, self.seen_ns))

    monkeypatch.setattr(Bucket, "filled", patched)


@BESIDE_ORDERS.bug(
    "P22",
    f"{LIVE}/allowance.py",
    Test(f"{UNIT}/test_allowance.py::test_when_the_venue_says_when_to_come_back_everything_waits"),
)
def word_to_wait_passed_over(monkeypatch):
    """A venue that asks to wait is asked again at once."""
    monkeypatch.setattr(Allowance, "hold", lambda self, span_ns, now_ns: None)


@BESIDE_ORDERS.bug(
    "P22",
    f"{LIVE}/breaker.py",
    Test(f"{UNIT}/test_allowance.py::test_an_endpoint_that_fails_again_and_again_gets_one_probe_at_a_time"),
)
def breaker_that_never_opens(monkeypatch):
    """An endpoint that does not answer is asked as often as before."""
    monkeypatch.setattr(Breaker, "is_open", lambda self, now_ns: False)


@BESIDE_ORDERS.bug(
    "P43",
    f"{LIVE}/requests.py",
    Test(
        "tests/contract/test_live_session.py::test_a_slow_venue_gets_few_requests_at_once_and_cancels_go_first"
    ),
)
def cancels_that_wait_their_turn(monkeypatch):
    """A cancel waits behind all new orders."""
    due = Requests.due

    def patched(self, now_ns, may_send):
        cancels, self._table.ready_cancels = self._table.ready_cancels, {}
        try:
            return due(self, now_ns, may_send)
        finally:
            self._table.ready_cancels = {each: None for each in cancels if each in self._table.ready}

    monkeypatch.setattr(Requests, "due", patched)


@BESIDE_ORDERS.bug(
    "P36",
    f"{LIVE}/clock_offset.py",
    Test(
        "tests/unit/live/test_allowance_boundaries.py::test_measures_that_contradict_each_other_leave_the_newest_alone"
    ),
)
def clock_that_was_set_goes_unseen(monkeypatch):
    """After a jump of a clock the distance to the venue's is that of before."""
    note = ClockOffset.note

    def patched(self, asked_ns, answered_ns, venue_ns):
        if not self._measures:
            note(self, asked_ns, answered_ns, venue_ns)

    monkeypatch.setattr(ClockOffset, "note", patched)


@BESIDE_ORDERS.bug(
    "P36",
    "python/tradecore/runtime/system_clock.py",
    Test("tests/unit/test_system_clock.py::test_a_step_of_the_wall_clock_is_not_followed"),
)
def clock_of_the_wall(monkeypatch):
    """The engine's time jumps with the clock of the machine."""
    monkeypatch.setattr(SystemClock, "now_ns", lambda self: time.time_ns())


@BESIDE_ORDERS.bug(
    "C24",
    f"{LIVE}/dead_man.py",
    Test(f"{UNIT}/test_dead_man.py::test_it_is_asked_for_again_long_before_its_time_is_over"),
)
def timer_armed_once(monkeypatch):
    """The dead man's timer is armed at the start and runs out while the engine lives."""
    keep = DeadMan.keep

    async def patched(self, tell):
        sleep = self._sleep
        self._sleep = lambda span_ns: sleep(10 * span_ns)
        await keep(self, tell)

    monkeypatch.setattr(DeadMan, "keep", patched)


@BESIDE_ORDERS.bug(
    "P25",
    f"{LIVE}/orphans.py",
    Test(f"{UNIT}/test_orphans.py::test_what_was_on_its_way_when_the_engine_died_is_ended_too"),
)
def orphans_done_at_the_first_look(monkeypatch):
    """The watchdog is done while a new order may still be on its way."""
    settle = Orphans._settle

    async def patched(self, venue, since_ns):
        await settle(self, venue, since_ns - venue.capabilities.validity_window_ns)

    monkeypatch.setattr(Orphans, "_settle", patched)


@BESIDE_ORDERS.bug(
    "P25",
    "api/tradecore_api/watchdog/pulse.py",
    Test(
        "tests/unit/watchdog/test_pulse.py::test_an_engine_that_is_silent_for_too_long_hangs_and_a_sign_brings_it_back"
    ),
)
def hang_taken_for_life(monkeypatch):
    """An engine that hangs counts as one that runs."""
    feel = Pulse.feel

    def patched(self, sight, now_ns):
        standing = feel(self, sight, now_ns)
        return Standing.RUNNING if standing is Standing.HUNG else standing

    monkeypatch.setattr(Pulse, "feel", patched)


@BESIDE_ORDERS.bug(
    "P39",
    "api/tradecore_api/watchdog/pulse.py",
    Test("tests/unit/watchdog/test_pulse.py::test_a_watchdog_that_was_held_itself_saw_no_silence"),
)
def own_pause_taken_for_a_hang(monkeypatch):
    """A watchdog that was stopped for a while takes the engine for one that hangs."""

    def patched(self, now_ns):
        if self._looked_ns is None:
            self._looked_ns = self._sign_ns = now_ns

    monkeypatch.setattr(Pulse, "_forgive_own_silence", patched)


@BESIDE_ORDERS.bug(
    "C14",
    f"{LIVE}/drop_copy.py",
    Test(
        f"{UNIT}/test_drop_copy.py::test_what_is_found_once_is_looked_at_again_and_found_twice_is_asked_about"
    ),
)
def second_reader_that_sees_nothing(monkeypatch):
    """What a second reader shows otherwise is passed over."""
    monkeypatch.setattr(DropCopy, "_found", lambda self, look: iter(()))


@BESIDE_ORDERS.bug(
    "P19",
    f"{LIVE}/reconciliation.py",
    Test(
        f"{UNIT}/test_reconciliation.py::test_what_a_check_finds_once_is_looked_at_again_and_found_twice_it_halts"
    ),
)
def books_that_always_agree(monkeypatch):
    """Positions that differ at the venue count as agreed."""
    monkeypatch.setattr(Reconciliation, "_differ", lambda self, now_ns, *_: self._agree(now_ns))


@BESIDE_ORDERS.bug(
    "P22",
    f"{LIVE}/reconciliation.py",
    Test(f"{UNIT}/test_reconciliation.py::test_nothing_follows_from_half_a_list"),
)
def part_of_a_list_taken_for_all(monkeypatch):
    """A list of which a page is missing counts as the whole list."""
    monkeypatch.setattr(Reconciliation, "_is_whole", lambda self, findings, what: True)
