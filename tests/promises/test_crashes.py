"""A killed engine loses nothing that was told, and what kills it at every point finds what is broken."""

import asyncio
import shutil
from pathlib import Path

import pytest

from promises.crashes.many import again, kills_in
from promises.planted.order_path import orders_forgotten_by_a_restart, orders_sent_again_by_a_restart
from tradecore.domain.journal import JournalFolder
from tradecore.proof import host
from tradecore.proof.mortal_journal import MortalJournal
from tradecore.runtime.command_queue import CommandQueue
from tradecore.runtime.commit import Commit

SEED = 8


def commits_that_write_every_second_time(monkeypatch):
    """A commit returns, and what it should have written waits in memory."""
    commit, odd = MortalJournal.commit, set()

    def patched(self, durable, /):
        odd.symmetric_difference_update({1})
        if odd:
            self.durable_records = self.records
        else:
            commit(self, durable)

    monkeypatch.setattr(MortalJournal, "commit", patched)


def groups_written_a_moment_later(monkeypatch):
    """What is to be durable is written two milliseconds after it counts as committed."""
    commit = Commit._commit

    def patched(self, *, is_durable):
        asyncio.get_running_loop().call_later(0.002, lambda: commit(self, is_durable=is_durable))

    monkeypatch.setattr(Commit, "_commit", patched)


def commands_answered_at_once(monkeypatch):
    """A command counts as done when it has come."""
    put = CommandQueue.put

    def patched(self, command):
        waiting = put(self, command)
        waiting.done.set_result(0)
        return waiting

    monkeypatch.setattr(CommandQueue, "put", patched)


def a_journal_put_aside_while_it_is_replayed(monkeypatch):
    """A start takes the journal away until it has replayed it: a kill meanwhile loses it."""
    recover = host.recover

    def patched(journal, engine, config):
        path = Path(journal.where)
        aside = path.with_name("aside")
        shutil.copy(path, aside)
        path.write_bytes(path.read_bytes()[: -len(path.read_bytes()) // 3])
        recovered = recover(JournalFolder(aside), engine, config)
        shutil.copy(aside, path)
        return recovered

    monkeypatch.setattr(host, "recover", patched)


def test_kills_at_lines_of_the_order_path_and_in_recovery_break_no_promise():
    """Nothing committed is gone, and books and venue come together, also after kills in recovery."""
    found = kills_in(SEED, 8)
    assert [death.findings for death in found.deaths] == [()] * 8
    assert sum(death.tried.get("P1", 0) for death in found.deaths) >= 6
    assert sum(death.tried.get("P8 state", 0) for death in found.deaths) > 2
    assert max(len(death.places) for death in found.deaths) == 4


def test_a_kill_can_be_made_to_happen_again(capfd):
    """By seed and point, with the story of it."""
    first, second = kills_in(SEED, 2).deaths
    assert again(SEED, second.point, print) == (second,)
    told = capfd.readouterr().out
    assert f" KILL in {second.places[0]}" in told
    assert first.point < second.point


@pytest.mark.timeout(120)
@pytest.mark.parametrize(
    "bug",
    [
        commits_that_write_every_second_time,
        groups_written_a_moment_later,
        a_journal_put_aside_while_it_is_replayed,
        commands_answered_at_once,
        orders_forgotten_by_a_restart,
        orders_sent_again_by_a_restart,
    ],
    ids=lambda bug: bug.__name__,
)
def test_a_planted_bug_is_found(bug, monkeypatch):
    """A kill that finds nothing proves something only if it finds what is there."""
    bug(monkeypatch)
    found = (kills_in(seed, kills) for seed, kills in ((SEED, 6), (5, 12), (11, 20), (12, 20)))
    assert any(death.findings for each in found for death in each.deaths), bug.__doc__
