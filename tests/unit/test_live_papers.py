"""What a live engine leaves for people: written once each, again when the disk had said no, and in words."""

import msgspec
import pytest
from msgspec.structs import replace

from support.deep import DEEP
from tradecore.domain.errors import StorageError
from tradecore.domain.secret import Secret
from tradecore.domain.venue_findings import NotUnderstood
from tradecore.runtime.live.link_status import FoundAtStart
from tradecore.runtime.live.start_report import (
    Doubted,
    FillFound,
    ReportKey,
    SignedReport,
    StartFacts,
    StartReport,
)
from tradecore_api.dead_letters import DeadLetters
from tradecore_api.live_papers import LivePapers, read_report, words_of
from tradecore_api.state_dir import StateDir

KEY = ReportKey.of("k1", Secret("canary"))
FACTS = StartFacts(from_seq=3, agreed_seq=9, began_ns=1, agreed_ns=2, open_orders=4)
FOUND = FoundAtStart(
    facts=FACTS, foreign_orders=("web",), left_orders=("old",), foreign_fills=5, letters=("? !",)
)
ONE, TWO = NotUnderstood(text="1", why="no sense"), NotUnderstood(text="2", why="no sense")


class ScriptedLink:
    """A line to a venue that is none: has what it found, and messages, when a test says so."""

    def __init__(self):
        self.found_at_start = None
        self.letters = []
        self.understands = []
        self.asked_again = []
        self.said = []
        self.copy = self

    def take_said(self):
        """Return what the second reader has to say."""
        taken, self.said = self.said, []
        return taken

    def take_letters(self):
        """Return what is new."""
        taken, self.letters = self.letters, []
        return taken

    def read_again(self, letters):
        """Understand what a test says."""
        self.asked_again.append(list(letters))
        return [each for each in letters if each in self.understands]


class NamedJournal:
    """The name and the first hash of a journal."""

    where = "live.journal"

    def first_hash(self):
        """Name it."""
        return "f" * 64


@pytest.fixture
def state(tmp_path):
    """Return the directory of an account."""
    made = StateDir("main", within=tmp_path)
    made.create()
    return made


@pytest.fixture
def link():
    """Return a line to a venue."""
    return ScriptedLink()


@pytest.fixture
def papers(state, link):
    """Return what writes the papers of a run."""
    return LivePapers(state, NamedJournal(), link, KEY)


def logged(caplog):
    """Return names and words of what was logged."""
    return [(record.msg, record.words) for record in caplog.records]


async def test_the_report_is_written_once_when_books_and_venue_agree(papers, link, state, caplog):
    """Signed, with all that was found; before that there is none."""
    await papers.look()
    assert (papers.report, read_report(state)) == (None, None)
    link.found_at_start = FOUND
    await papers.look()
    written = state.start_report.read_bytes()
    signed = read_report(state)
    assert signed == papers.report
    report = signed.report
    assert (report.account, report.journal, report.journal_first) == ("main", "live.journal", "f" * 64)
    for name in FOUND.__struct_fields__:
        assert getattr(report, name) == getattr(FOUND, name)
    assert signed.mac == KEY.mac(report)
    link.found_at_start = replace(FOUND, foreign_orders=())
    await papers.look()
    assert state.start_report.read_bytes() == written
    assert [name for name, _ in logged(caplog)] == ["start_report"]
    assert logged(caplog)[0][1] == f"books and venue agree: {words_of(signed)}"


async def test_messages_that_were_not_understood_are_kept_and_told(papers, link, state, caplog):
    """Each time how many there are, and where; nothing is told when there is nothing."""
    for letters in ([ONE], [], [TWO, NotUnderstood(text="3", why="cut")]):
        link.letters = letters
        await papers.look()
    assert [each.text for each in DeadLetters(state.dead_letters).all()] == ["1", "2", "3"]
    assert logged(caplog) == [
        ("dead_letters", f"{count} messages were not understood; they are in {state.dead_letters}")
        for count in (1, 2)
    ]


async def test_what_the_second_reader_says_is_logged_whatever_the_disk_does(papers, link, state, caplog):
    """Once, a line each."""
    link.said = ["it does not answer", "it answers again"]
    state.path.rename(state.path.with_name("away"))
    link.letters = [ONE]
    await papers.look()
    await papers.look()
    told = [words for name, words in logged(caplog) if name == "drop_copy"]
    assert told == ["it does not answer", "it answers again"]


async def test_what_a_full_disk_did_not_take_is_written_later(papers, link, state, caplog):
    """The trouble is told once; when it comes again after all was well, it is told again."""
    link.letters, link.found_at_start = [ONE], FOUND
    state.path.rename(state.path.with_name("away"))
    await papers.look()
    link.letters = [TWO]
    await papers.look()
    assert papers.report is None
    assert [name for name, _ in logged(caplog)] == ["papers_not_written"]
    state.path.with_name("away").rename(state.path)
    await papers.look()
    assert [each.text for each in DeadLetters(state.dead_letters).all()] == ["1", "2"]
    assert read_report(state) == papers.report is not None
    state.path.rename(state.path.with_name("away"))
    link.letters = [ONE]
    await papers.look()
    names = [name for name, _ in logged(caplog)]
    assert names == ["papers_not_written", "dead_letters", "start_report", "papers_not_written"]


async def test_what_a_later_start_understands_is_noted_once_its_report_is_written(state, link):
    """Each start tries what nobody has understood yet, once; till the report is there nothing is noted."""
    letters = DeadLetters(state.dead_letters)
    letters.keep([ONE, TWO], 5)
    link.understands = [TWO]
    papers = LivePapers(state, NamedJournal(), link, KEY)
    await papers.look()
    assert [each.read_ns for each in letters.all()] == [None, None]
    link.found_at_start = FOUND
    await papers.look()
    await papers.look()
    assert link.asked_again == [[ONE, TWO]]
    assert [each.read_ns is None for each in letters.all()] == [True, False]
    await LivePapers(state, NamedJournal(), link, KEY).look()
    assert link.asked_again[1:] == [[ONE]]


def signed(**changes):
    """Return a signed report with facts and fields that differ."""
    facts = {name: changes.pop(name) for name in ("doubts", "fills", "open_orders") if name in changes}
    report = StartReport(
        account="main",
        journal="j",
        journal_first="f",
        version="1",
        written_ns=1,
        facts=replace(FACTS, **facts),
        **changes,
    )
    return SignedReport.of(report, KEY)


FILL = FillFound(order_id=1, instrument=0, trade_id="T", price_ticks=1, lots=1)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "nothing was dropped (4 orders were open, 0 fills were booked)"),
        (
            {"fills": (FILL, FILL), "open_orders": 0},
            "nothing was dropped (0 orders were open, 2 fills were booked)",
        ),
        (
            {"doubts": (Doubted(order_id=7), Doubted(order_id=8, became="canceled"))},
            (
                "1 thing was dropped: order 7 is still in doubt "
                "(4 orders were open, 0 fills were booked, 2 orders were in doubt)"
            ),
        ),
        (
            {"doubts": tuple(Doubted(order_id=number) for number in range(1, 13))},
            (
                "12 things were dropped: "
                + "".join(f"order {each} is still in doubt; " for each in range(1, 11))
                + "and 2 more (4 orders were open, 0 fills were booked, 12 orders were in doubt)"
            ),
        ),
        (
            {"foreign_orders": ("web", "app", "bot"), "letters": ("a", "b")},
            (
                "2 things were dropped: a message was not understood: a; a message was not understood: b "
                "(4 orders were open, 0 fills were booked, 3 orders are of others)"
            ),
        ),
    ],
)
def test_a_report_in_a_sentence_counts_what_was_found_and_names_what_was_dropped(changes, words):
    """What there is none of is left out, but for open orders and fills."""
    assert words_of(signed(**changes)) == words


def test_a_report_that_cannot_be_read_is_an_error_with_its_path(state):
    """Nobody takes it for one that is not there."""
    assert read_report(state) is None
    for content in (b"{", b"{}", b"\xff", DEEP):
        state.start_report.write_bytes(content)
        with pytest.raises(StorageError, match=r"start_report\.json: is no start report"):
            read_report(state)
    state.start_report.unlink()
    state.start_report.mkdir()
    with pytest.raises(StorageError, match=r"start_report\.json: cannot be read"):
        read_report(state)
    state.start_report.rmdir()
    state.start_report.write_bytes(msgspec.json.encode(signed()))
    assert read_report(state) == signed()
