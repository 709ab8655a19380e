"""Faults of stops and of failing resources, for a simulation to find: patches of the code that they break."""

import asyncio

import msgspec

from tradecore.domain.commands import CancelAll, Kill, Pause, ReleaseKill, SafetyPause
from tradecore.domain.errors import StorageError
from tradecore.runtime import frames
from tradecore.runtime.commit import Commit
from tradecore.runtime.engine_input import EngineInput
from tradecore.runtime.live.dead_man import DeadMan
from tradecore.runtime.live.fence import UNHELD, Fence
from tradecore.runtime.live.orphans import Orphans
from tradecore.runtime.session import Session


def full_disks_passed_over(monkeypatch):
    """An engine whose journal takes nothing any more goes on without it."""
    publish = Commit.publish

    def patched(self, output):
        try:
            publish(self, output)
        except StorageError:
            self._dispatch(frames.scan(output).records(self._journal.records))

    monkeypatch.setattr(Commit, "publish", patched)


def safety_pauses_passed_over(monkeypatch):
    """What an engine goes by is not to be trusted, and it takes new risk all the same."""
    command = EngineInput.command

    def patched(self, given):
        return None if isinstance(given, SafetyPause) else command(self, given)

    monkeypatch.setattr(EngineInput, "command", patched)


def stops_that_a_pause_swallows(monkeypatch):
    """Who is paused cancels nothing."""
    command = EngineInput.command

    def patched(self, given):
        if isinstance(given, CancelAll) and self._engine.kernel.is_paused:
            return None
        return command(self, given)

    monkeypatch.setattr(EngineInput, "command", patched)


def kills_that_only_pause(monkeypatch):
    """A kill ends no order."""
    command = EngineInput.command

    def patched(self, given):
        return command(self, Pause() if isinstance(given, Kill) else given)

    monkeypatch.setattr(EngineInput, "command", patched)


def kills_that_a_restart_ends(monkeypatch):
    """Who starts anew trades on."""
    begin = Session._begin

    def patched(self):
        begin(self)
        self._commands.put(ReleaseKill())

    monkeypatch.setattr(Session, "_begin", patched)


def kills_that_wait(monkeypatch):
    """A kill takes effect some milliseconds later."""
    command = Session.command

    async def patched(self, given):
        if isinstance(given, Kill):
            await asyncio.sleep(0.02)
        return await command(self, given)

    monkeypatch.setattr(Session, "command", patched)


def timers_that_nobody_arms(monkeypatch):
    """The dead man's timer is said to be armed, and is not."""

    async def patched(self, tell):
        await asyncio.Event().wait()

    monkeypatch.setattr(DeadMan, "keep", patched)


def timers_that_are_too_long(monkeypatch):
    """The dead man's timer is armed for ten times as long as is asked for."""
    ask = DeadMan._ask
    monkeypatch.setattr(DeadMan, "_ask", lambda self, span_ns: ask(self, 10 * span_ns))


def watchdogs_that_see_no_order(monkeypatch):
    """A watchdog takes the orders of a dead engine for those of others."""
    note = Orphans._note

    def patched(self, found):
        note(self, found)
        return []

    monkeypatch.setattr(Orphans, "_note", patched)


def watchdogs_that_do_not_let_go(monkeypatch):
    """A watchdog goes on ending orders when the engine is back."""
    end_all = Orphans.end_all
    monkeypatch.setattr(Orphans, "end_all", lambda self, _, tell: end_all(self, lambda: True, tell))


def fences_that_do_not_look(monkeypatch):
    """Nobody asks whether the account is still held before a request leaves."""
    monkeypatch.setattr(Fence, "may_send", lambda self: self.fenced is None)


def accounts_that_are_not_taken(monkeypatch):
    """Who takes an account over does not say so on its machine."""
    init = Fence.__init__

    def patched(self, account, journal, hold=UNHELD, **others):
        init(self, account, journal, msgspec.structs.replace(hold, raise_to=lambda _: None), **others)

    monkeypatch.setattr(Fence, "__init__", patched)


# What each of them breaks, and a seed that has seen it; others are tried where plans have changed since.
STOPS = (
    ("P5", full_disks_passed_over, 47),
    ("P5", safety_pauses_passed_over, 27),
    ("P5", stops_that_a_pause_swallows, 15),
    ("P24", kills_that_only_pause, 5),
    ("P24", kills_that_a_restart_ends, 54),
    ("P24", kills_that_wait, 4),
    ("P25", timers_that_nobody_arms, 12),
    ("P25", timers_that_are_too_long, 12),
    ("P25", watchdogs_that_see_no_order, 68),
    ("P25", watchdogs_that_do_not_let_go, 24),
    ("P13", fences_that_do_not_look, 1),
    ("P13", accounts_that_are_not_taken, 1),
)
