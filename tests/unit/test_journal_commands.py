"""The commands that look at a journal and its tables, called as functions: what they print and end with."""

import asyncio
import json
import os
import sqlite3

import msgspec
import pytest

from support.sessions import ListFeed, open_session
from tradecore.domain.journal import NOT_OF_MARKET, JournalFolder
from tradecore.domain.record_bodies import CancelRequest
from tradecore_api import cli
from tradecore_api.commands import database
from tradecore_api.commands.journal import EVENT_KINDS, _wanted
from tradecore_api.exit_codes import ExitCode
from tradecore_api.journal_teller import JournalTeller


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    """The journal of a short session."""
    path = tmp_path_factory.mktemp("recorded") / "a.journal"

    async def run():
        session = open_session(path, feed=ListFeed(slices=20))
        await session.run()

    asyncio.run(run())
    return path


@pytest.fixture
def said(capsys):
    """Run a command; gives its code and what it printed."""

    def run(*words):
        code = cli.main([str(word) for word in words])
        return code, capsys.readouterr().out

    return run


def kinds_of(lines):
    """Return the kinds of records that were printed as JSON."""
    return [json.loads(line)["kind"] for line in lines.splitlines()]


def test_every_byte_is_checked(recorded, said, tmp_path):
    """Intact, cut off or damaged: a script gets it as a word and as a code."""
    size = recorded.stat().st_size
    code, out = said("journal", "verify", recorded, "--json")
    whole = json.loads(out)
    assert (code, whole["status"], whole["path"], whole["bytes"]) == (0, "intact", str(recorded), size)
    assert whole["records"] == len(list(JournalFolder(recorded).reader()))

    damaged = tmp_path / "damaged"
    content = bytearray(recorded.read_bytes())
    content[size // 2] ^= 1
    damaged.write_bytes(content)
    code, out = said("journal", "verify", damaged, "--json")
    assert (code, json.loads(out)["status"]) == (ExitCode.CHECK_FAILED, "damaged")


def test_an_export_has_every_record_and_a_tail_those_that_are_news(recorded, said):
    """In their order; what a feed brings is left out of a tail unless it is asked for."""
    _, out = said("journal", "export", recorded)
    every = kinds_of(out)
    numbers = [json.loads(line)["seq"] for line in out.splitlines()]
    news = [kind for kind in every if kind not in EVENT_KINDS]

    assert numbers == list(range(numbers[0], numbers[0] + len(every)))
    assert every[0] == "session"
    assert set(every) & EVENT_KINDS
    assert not EVENT_KINDS & NOT_OF_MARKET
    for count in (0, 1, 3, 10_000):
        _, out = said("journal", "tail", recorded, "-n", count, "--json")
        assert kinds_of(out) == news[len(news) - min(count, len(news)) :]
        _, out = said("journal", "tail", recorded, "-n", count, "--json", "--all")
        assert kinds_of(out) == every[len(every) - min(count, len(every)) :]
    _, out = said("journal", "tail", recorded)
    assert len(out.splitlines()) == 10


def test_records_are_told_in_words_once_their_session_is_known(recorded):
    """Before it they are told by their raw values."""
    records = [*_records(recorded)]
    teller, raw = JournalTeller(), JournalTeller()
    noted = teller.note(records[0])
    assert teller.words(noted)
    later = next(record for record in records if record.kind == "order")
    known, unknown = teller.note(later), raw.note(later)

    assert raw.values(unknown) == {}
    assert raw.words(unknown).startswith("order order_id=")
    assert "order_id=" not in teller.words(known)
    assert teller.values(known)


def test_a_restart_ends_no_order_for_whoever_reads_the_journal(recorded):
    """What happens to it in the next session is told with its strategy, its size and its price, as before."""
    records = [*_records(recorded)]
    teller = JournalTeller()
    for record in records[: 1 + next(at for at, each in enumerate(records) if each.kind == "order")]:
        told = teller.note(record)
    order = told.order
    teller.note(records[0])
    asked = CancelRequest(strategy=order.strategy, order_id=order.order_id)
    noted = teller.note(msgspec.structs.replace(records[0], body=asked))

    assert noted.order is order
    assert teller.words(noted).startswith(
        f"a cancel of order {order.order_id} of strategy 0 is asked for: {order.side} "
    )


def _records(path):
    return _wanted(JournalFolder(path).reader(), has_all=True)


def test_tables_are_made_of_a_journal_and_compared_with_it(recorded, said, tmp_path):
    """All of it, then a part; of another journal, of none that is there."""
    journal, path = tmp_path / "a.journal", tmp_path / "tables"
    journal.write_bytes(recorded.read_bytes())
    code, out = said("db", "rebuild", path, "--journal", journal, "--json")
    made = json.loads(out)
    assert (code, made["of_journal"], made["integrity"]) == (0, "yes, all of it", "ok")
    assert made["journal"] == str(journal)
    assert said("db", "info", path, "--json") == (code, out)
    with sqlite3.connect(path) as database:
        assert database.execute("pragma application_id").fetchone() == (int.from_bytes(b"trdc", "big"),)

    journal.unlink()
    code, out = said("db", "info", path, "--json")
    assert (code, json.loads(out)["of_journal"]) == (
        0,
        "not found, so the tables cannot be compared with it",
    )
    JournalFolder(journal).writer(5).close()
    code, out = said("db", "info", path, "--json")
    assert code == ExitCode.CHECK_FAILED
    assert json.loads(out)["of_journal"].startswith("NO: the tables are of another journal")


@pytest.mark.parametrize("pair", ["a", "=b", "a=", "="])
def test_a_journal_and_its_tables_are_two_files(pair, capsys):
    """With a sign between them."""
    assert cli.main(["db", "follow", pair]) == ExitCode.CONFIG
    assert "must be two files with = between them" in capsys.readouterr().err


def test_two_journals_have_no_tables_in_common(capsys):
    """However the path is written."""
    assert cli.main(["db", "follow", "a=t", "b=./t"]) == ExitCode.CONFIG
    assert "must name different TABLES" in capsys.readouterr().err


def test_who_follows_a_journal_that_is_not_there_yet_is_told(tmp_path, capsys, monkeypatch):
    """A name that was mistyped would be waited for without a word."""
    pairs = []

    async def ended(found):
        pairs.extend(found)
        return ExitCode.OK

    monkeypatch.setattr(database, "_follow", ended)
    JournalFolder(tmp_path / "there").writer(0).close()
    told = [f"{tmp_path / name}={tmp_path / name}.sqlite" for name in ("there", "none")]
    assert cli.main(["db", "follow", *told]) == ExitCode.OK
    words = f"tradecore: {tmp_path / 'none'}: there is no journal yet; waiting for it\n"
    assert (capsys.readouterr().err, len(pairs)) == (words, 2)


def test_a_journal_that_is_a_pipe_is_not_waited_for(tmp_path, capsys):
    """Nobody would ever write a record there, and whoever reads a pipe waits for a writer."""
    os.mkfifo(tmp_path / "pipe")
    assert cli.main(["db", "follow", f"{tmp_path / 'pipe'}={tmp_path / 't'}"]) == ExitCode.CONFIG
    assert "must be a file; what is there is a directory, pipe" in capsys.readouterr().err


def test_tables_that_are_not_there_are_told(tmp_path, capsys):
    """They are not made by looking."""
    assert cli.main(["db", "info", str(tmp_path / "none")]) == ExitCode.STORAGE
    assert "no such read model; `tradecore db rebuild` makes one" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
