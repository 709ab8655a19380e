"""Bugs in what outlives a process or is for people: the journal's commit, latches, locks, tables, secrets."""

from promises.planted.bug import Patches, Test
from tradecore.domain.secret import Secret
from tradecore.runtime import commit, notice_queue, recovery
from tradecore.runtime.commit import Commit
from tradecore.runtime.live.arming import Arming, SignedArming
from tradecore.runtime.notice_queue import NoticeQueue
from tradecore.runtime.projector import Projector
from tradecore_api import instance_lock, kill_latch
from tradecore_api.attribution import Attribution
from tradecore_api.descriptors import SpareDescriptors
from tradecore_api.watchdog.alarms import Alarms
from tradecore_sqlite import read_model

CORE, API = "python/tradecore", "api/tradecore_api"
PEOPLE_AND_PLACES = Patches()


@PEOPLE_AND_PLACES.bug(
    "P3",
    f"{CORE}/runtime/commit.py",
    Test("tests/unit/test_commit.py::test_what_a_group_asks_for_leaves_after_its_durable_commit"),
)
def told_before_it_is_committed(monkeypatch):
    """A request leaves before its record is in the journal."""
    publish = Commit.publish

    def patched(self, output):
        if self._dispatch is not None and output:
            scanned = commit.frames.scan(output)
            if scanned.effect_offsets:
                self._dispatch(scanned.records(self._journal.records))
        dispatch, self._dispatch = self._dispatch, None
        try:
            publish(self, output)
        finally:
            self._dispatch = dispatch

    monkeypatch.setattr(Commit, "publish", patched)


@PEOPLE_AND_PLACES.bug(
    "P1",
    f"{CORE}/runtime/commit.py",
    Test("tests/unit/test_commit.py::test_what_the_journal_has_already_is_not_appended_again"),
)
def recorded_frames_appended_again(monkeypatch):
    """What a journal has already is appended once more after a crash."""

    def patched(self):
        self._recorded = b""
        return self._engine.take_frames()

    monkeypatch.setattr(Commit, "take", patched)


@PEOPLE_AND_PLACES.bug(
    "P8",
    f"{CORE}/runtime/commit.py",
    Test("tests/unit/test_session.py::test_what_a_crash_cut_off_must_come_again_byte_for_byte"),
)
def replay_that_may_differ(monkeypatch):
    """A replay that makes other bytes than the journal has goes on."""
    monkeypatch.setattr(commit, "raise_divergence", lambda *_: None)


@PEOPLE_AND_PLACES.bug(
    "P24",
    f"{API}/kill_latch.py",
    Test("tests/unit/test_instance_lock.py::test_the_kill_switch_outlives_processes_until_it_is_released"),
)
def kill_forgotten_by_a_restart(monkeypatch):
    """An engine that was killed starts as if nothing had been."""
    monkeypatch.setattr(kill_latch, "is_engaged", lambda state: False)


@PEOPLE_AND_PLACES.bug(
    "P32",
    f"{API}/kill_latch.py",
    Test("tests/unit/test_instance_lock.py::test_the_kill_switch_outlives_processes_until_it_is_released"),
)
def kill_that_an_older_release_takes_back(monkeypatch):
    """A release that was asked for before a kill releases that kill at the next start."""
    monkeypatch.setattr(kill_latch, "_remove", lambda path: None)


@PEOPLE_AND_PLACES.bug(
    "P13",
    f"{API}/instance_lock.py",
    Test("tests/unit/test_instance_lock.py::test_a_second_holder_is_refused_and_told_the_pid"),
)
def lock_that_everybody_gets(monkeypatch):
    """Two engines run for one account, whatever the locks say."""
    monkeypatch.setattr(instance_lock, "try_lock", lambda descriptor, *, is_exclusive: True)
    monkeypatch.setattr(instance_lock, "heartbeat_holder", lambda path: None)
    monkeypatch.setattr(instance_lock.account_socket, "holder", lambda folder: None)


@PEOPLE_AND_PLACES.bug(
    "P14",
    "adapters/sqlite/tradecore_sqlite/read_model.py",
    Test(
        "adapters/sqlite/tests/test_read_model.py::test_the_write_ahead_log_is_used_only_with_a_safe_sqlite"
    ),
)
def write_ahead_log_with_any_sqlite(monkeypatch):
    """Tables have a write-ahead log also with a SQLite that can damage them so."""
    monkeypatch.setattr(read_model, "WAL_VERSION_MIN", (3, 0, 0))


@PEOPLE_AND_PLACES.bug("P52", f"{CORE}/domain/secret.py", Test("adapters/secrets/tests"))
def secret_that_shows_itself(monkeypatch):
    """A secret that is put into a message is readable there."""
    monkeypatch.setattr(Secret, "__repr__", lambda self: self._text)
    monkeypatch.setattr(Secret, "__str__", lambda self: self._text)


@PEOPLE_AND_PLACES.bug(
    "P41",
    f"{CORE}/runtime/notice_queue.py",
    Test(
        "tests/unit/test_notice_queue.py::test_a_notifier_that_is_too_slow_is_told_the_newest_groups_and_the_rest_is_counted"
    ),
)
def notices_without_end(monkeypatch):
    """What nobody takes waits in memory, more and more of it."""
    monkeypatch.setattr(notice_queue, "GROUPS_MAX", 1 << 60)


@PEOPLE_AND_PLACES.bug(
    "P42",
    f"{API}/descriptors.py",
    Test(
        "tests/unit/test_descriptors.py::test_a_reserve_is_let_go_when_nothing_else_can_be_opened_and_made_anew"
    ),
)
def no_descriptors_kept(monkeypatch):
    """A process that can open nothing more has none left for a stop."""
    monkeypatch.setattr(SpareDescriptors, "keep", lambda self: True)


@PEOPLE_AND_PLACES.bug(
    "C16", f"{CORE}/runtime/live/arming.py", Test("tests/unit/test_arming.py::test_changed_code_is_not_armed")
)
def changed_code_stays_armed(monkeypatch):
    """A strategy whose code is another one than was armed trades."""
    monkeypatch.setattr(Arming, "changes_since", lambda self, before: [])


@PEOPLE_AND_PLACES.bug(
    "C17",
    f"{CORE}/runtime/live/arming.py",
    Test("tests/unit/test_arming.py::test_an_arming_that_somebody_wrote_is_none"),
)
def arming_that_anybody_signs(monkeypatch):
    """What was armed needs no signature of the right key."""
    monkeypatch.setattr(SignedArming, "problems", lambda self, key: [])


@PEOPLE_AND_PLACES.bug(
    "C11",
    f"{API}/attribution.py",
    Test("tests/unit/test_attribution.py::test_an_order_is_that_of_the_session_which_made_it"),
)
def orders_of_nobody(monkeypatch):
    """An order does not say which strategy and which person it is of."""
    monkeypatch.setattr(Attribution, "of", lambda self, record: {})


@PEOPLE_AND_PLACES.bug(
    "C13",
    f"{API}/watchdog/alarms.py",
    Test("tests/unit/watchdog/test_alarms.py::test_a_program_gets_each_alarm_as_json_and_in_words"),
)
def alarm_that_nobody_gets(monkeypatch):
    """An alarm is in the log alone."""

    async def patched(self, alarm):
        return None

    monkeypatch.setattr(Alarms, "_run", patched)


@PEOPLE_AND_PLACES.bug(
    "P6",
    f"{CORE}/runtime/projector.py",
    Test("tests/unit/test_projector.py::test_a_group_that_fails_is_taken_again_by_the_next_call"),
)
def group_that_a_busy_database_drops(monkeypatch):
    """What the tables could not take at once is never in them."""

    async def patched(self):
        self._tail = tail = self._tail or await self._tail_at_tables()
        while (part := tail.next_part()) is not None:
            await self._read_model.apply(part.records, part.before, part.after, part.points)
        self.records = tail.records
        return tail.records

    monkeypatch.setattr(Projector, "catch_up", patched)


@PEOPLE_AND_PLACES.bug(
    "P12",
    f"{CORE}/runtime/recovery.py",
    Test(
        "tests/contract/test_live_snapshots.py::test_what_another_version_wrote_after_its_last_snapshot_is_not_run"
    ),
)
def version_not_asked(monkeypatch):
    """What another version of the behaviour has written is run as if it were of this one."""
    monkeypatch.setattr(recovery.frames, "has_events_before_session", lambda data: False)


@PEOPLE_AND_PLACES.bug(
    "P26",
    f"{CORE}/runtime/notice_queue.py",
    Test("tests/unit/test_session.py::test_a_notifier_that_hangs_delays_nobody"),
)
def end_that_waits_for_everybody(monkeypatch):
    """A session ends once all who are told have taken it, also those that hang."""

    async def patched(self, seconds_max):
        await self.flush()
        await self._notifier.aclose()

    monkeypatch.setattr(NoticeQueue, "close", patched)


@PEOPLE_AND_PLACES.bug(
    "P51",
    f"{CORE}/runtime/notice_queue.py",
    Test("tests/unit/test_session.py::test_a_notifier_that_fails_ends_nothing"),
)
def failure_of_a_notifier_ends_the_run(monkeypatch):
    """An engine whose notices nobody takes ends."""

    async def patched(self):
        while self._groups:
            first_seq, scanned = self._groups.popleft()
            await self._notifier.notify(scanned.records(first_seq))

    monkeypatch.setattr(NoticeQueue, "flush", patched)
