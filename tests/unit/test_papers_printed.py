"""What `start-report` and `dead-letters` print, for people and for scripts, and their exit codes."""

import argparse
import json

import msgspec
import pytest

from support.venue_process import WIDE_CANARY
from tradecore.domain import record_bodies as bodies
from tradecore.domain.secret import Secret
from tradecore.domain.venue_findings import NotUnderstood
from tradecore.runtime.live.start_report import (
    Doubted,
    FillFound,
    ReportKey,
    SignedReport,
    StartFacts,
    StartReport,
)
from tradecore_api.commands import papers
from tradecore_api.dead_letters import DeadLetters
from tradecore_api.exit_codes import ExitCode
from tradecore_api.state_dir import StateDir

CONFIG = (
    """
mode = "live"
live.keys = "venue-keys.json"
live.person = "Test"
feed = { kind = "local" }
instruments = [{ symbol = "BTC-USD", tick_size = "0.01", lot_size = "0.0001" }]
account = { name = "desk" }
venue = { matching = "book" }
strategy = { class = "tradecore_api.demo_strategies:Quoter" }
journal = { path = "desk.journal" }
"""
    + WIDE_CANARY
)
KEYS = {
    "url": "http://127.0.0.1:1",
    "accounts": {"demo": {"trade": {"key_id": "k1", "secret": "canary"}}},
}
NS = 1_704_189_600_000_000_000
REPORT = StartReport(
    account="desk",
    journal="desk.journal",
    journal_first="f",
    version="1",
    written_ns=1,
    facts=StartFacts(
        from_seq=3,
        agreed_seq=9,
        began_ns=1,
        agreed_ns=NS,
        open_orders=4,
        doubts=(Doubted(order_id=5), Doubted(order_id=6, became="fill")),
        fills=(FillFound(order_id=6, instrument=0, trade_id="t1", price_ticks=6_000_050, lots=25),),
        ends=("order 1: canceled",),
        surprises=("order 2: \x1b[2J\nlate", "order 3: " + "x" * 500),
        adopted=(
            bodies.Adopted(
                instrument=0,
                strategy=0,
                side="buy",
                lots=100,
                venue_time_ns=1,
                adopted="order",
                price_ticks=5_000_000,
                venue_order_id="V1",
            ),
        ),
    ),
    foreign_orders=("web",),
    letters=("what",),
)


class Place:
    """A folder with the settings and the state of a live account."""

    def __init__(self, folder, monkeypatch, capsys):
        monkeypatch.setenv("TRADECORE_STATE_DIR", str(folder / "state"))
        self.folder, self._capsys = folder, capsys
        (folder / "live.toml").write_text(CONFIG)
        (folder / "venue-keys.json").write_text(json.dumps(KEYS))
        (folder / "venue-keys.json").chmod(0o600)
        (folder / "desk.journal").write_bytes(b"some")
        self.state = StateDir("desk")
        self.state.create()

    def run(self, command, *, is_json=False):
        """Run a command; return code, output and remarks."""
        arguments = argparse.Namespace(config=str(self.folder / "live.toml"), settings=[], json=is_json)
        code = command(arguments)
        captured = self._capsys.readouterr()
        return code, captured.out, captured.err

    def sign(self, report, key_secret="canary"):
        """Leave a signed report."""
        signed = SignedReport.of(report, ReportKey.of("k1", Secret(key_secret)))
        self.state.start_report.write_bytes(msgspec.json.encode(signed))
        return signed


@pytest.fixture
def place(tmp_path, monkeypatch, capsys):
    """Return a folder of a live account."""
    return Place(tmp_path, monkeypatch, capsys)


@pytest.fixture
def is_the_same(monkeypatch):
    """Let every journal say what a genuine report says."""
    folder = papers.JournalFolder
    monkeypatch.setattr(folder, "first_hash", lambda self: "f")
    monkeypatch.setattr(folder, "reader", lambda self: iter([(0, 1, "session", {}), (3, 1, "order", {})]))
    monkeypatch.setattr(
        "tradecore.runtime.live.start_report.facts_of", lambda folder, seq, of_account: REPORT.facts
    )


@pytest.mark.usefixtures("is_the_same")
def test_a_genuine_report_is_told_on_one_page(place):
    """Each list has its title; what strangers said is in one line, as a terminal may show it, and cut."""
    place.sign(REPORT)
    code, output, talk = place.run(papers.start_report)

    lines = [" ".join(line.split()) for line in output.splitlines()]
    assert (code, talk) == (ExitCode.OK, "")
    assert lines[:4] == [
        (
            "start report 2 things were dropped: order 5 is still in doubt; a message was not understood: "
            "what (4 orders were open, 1 fill was booked, 2 orders were in doubt, 1 order is of others, "
            "1 thing was taken over from others)"
        ),
        "agreed at 2024-01-02T10:00:00Z",
        f"journal {place.folder / 'desk.journal'}, records 3 to 9",
        "signature genuine, and the journal says the same",
    ]
    assert lines[4:8] == ["", "in doubt", "- order 5: is so still", "- order 6: fill"]
    assert lines[8:11] == ["", "booked", "- order 6: 0.0025 BTC-USD at 60000.50, trade t1"]
    assert lines[11:16] == ["", "ended meanwhile", "- order 1: canceled", "", "the venue surprised"]
    assert lines[16] == r"- order 2: \x1b[2J late"
    assert len(lines[17]) == len("- ") + 400
    assert lines[18:] == [
        *("", "taken over from others"),
        "- an order of others, V1, to buy 0.01 BTC-USD at 50000.00 belongs to Quoter from here on",
        *("", "orders of others", "- web"),
    ]


@pytest.mark.usefixtures("is_the_same")
def test_a_start_that_found_nothing_has_no_empty_lists(place, monkeypatch):
    """Only the four lines."""
    facts = msgspec.structs.replace(REPORT.facts, ends=(), surprises=(), doubts=(), fills=(), adopted=())
    place.sign(msgspec.structs.replace(REPORT, facts=facts, foreign_orders=()))
    monkeypatch.setattr("tradecore.runtime.live.start_report.facts_of", lambda *_: facts)
    assert len(place.run(papers.start_report)[1].splitlines()) == 4


@pytest.mark.parametrize("is_json", [False, True])
@pytest.mark.usefixtures("is_the_same")
def test_a_report_that_was_changed_is_told_and_fails(place, is_json):
    """Its signature is not that of the account's key."""
    place.sign(REPORT, "other")
    code, output, _ = place.run(papers.start_report, is_json=is_json)
    assert code == ExitCode.CHECK_FAILED
    assert "its signature is wrong" in output
    if is_json:
        said = json.loads(output)
        assert (said["is_genuine"], len(said["problems"])) == (False, 1)


@pytest.mark.usefixtures("is_the_same")
def test_scripts_get_the_whole_report(place):
    """With what was dropped, and the verdict."""
    signed = place.sign(REPORT)
    code, output, _ = place.run(papers.start_report, is_json=True)
    said = json.loads(output)
    assert code == ExitCode.OK
    assert (said.pop("is_genuine"), said.pop("problems"), said.pop("later_starts")) == (True, [], 0)
    assert said.pop("dropped") == REPORT.dropped()
    assert said == json.loads(msgspec.json.encode(signed))


@pytest.mark.usefixtures("is_the_same")
def test_a_long_list_ends_with_how_many_more_there_are(place, monkeypatch):
    """A start after a night may have booked thousands of trades; scripts get them all."""
    facts = msgspec.structs.replace(REPORT.facts, fills=REPORT.facts.fills * 43)
    place.sign(msgspec.structs.replace(REPORT, facts=facts))
    monkeypatch.setattr("tradecore.runtime.live.start_report.facts_of", lambda *_: facts)

    lines = place.run(papers.start_report)[1].splitlines()
    assert lines.count("- order 6: 0.0025 BTC-USD at 60000.50, trade t1") == 40
    assert lines.count("  and 3 more; --json has all") == 1
    assert len(json.loads(place.run(papers.start_report, is_json=True)[1])["report"]["facts"]["fills"]) == 43


@pytest.mark.parametrize("is_json", [False, True])
@pytest.mark.usefixtures("is_the_same")
def test_a_start_that_has_not_agreed_since_is_no_success(place, monkeypatch, is_json):
    """Else the report of a start of last week would be taken for that of today's."""
    place.sign(REPORT)
    starts = [(0, 1, "session", {}), (10, 1, "session", {}), (20, 1, "session", {})]
    monkeypatch.setattr(papers.JournalFolder, "reader", lambda self: iter(starts))
    code, output, _ = place.run(papers.start_report, is_json=is_json)

    assert code == ExitCode.CHECK_FAILED
    if is_json:
        assert json.loads(output)["later_starts"] == 2
    else:
        assert "2 later starts have no report: books and venue have not agreed since" in output


def test_an_account_that_never_agreed_has_no_report(place):
    """That is said, and is no success."""
    code, output, talk = place.run(papers.start_report)
    assert (code, output) == (ExitCode.CHECK_FAILED, "")
    assert "no start of this account has come to an agreement" in talk


def test_messages_that_were_not_understood_are_shown_with_their_times(place):
    """To the millisecond, with when they were understood to the second."""
    letters = DeadLetters(place.state.dead_letters)
    one, two = (
        NotUnderstood(text='{"a\x1b[2J":\n1}', why="no\nsense"),
        NotUnderstood(text="y" * 500, why="cut"),
    )
    letters.keep([one], NS + 123_456_789)
    letters.keep([two], NS + 10**9)
    letters.note_read([one], NS + 2_600_000_000)
    code, output, talk = place.run(papers.dead_letters)

    assert (code, talk) == (ExitCode.OK, "")
    assert output.splitlines()[:3] == [
        "2024-01-02T10:00:00.123Z  no sense (understood 2024-01-02T10:00:02Z)",
        r'    {"a\x1b[2J": 1}',
        "2024-01-02T10:00:01.000Z  cut",
    ]
    assert len(output.splitlines()[3]) == 4 + 400
    assert json.loads(place.run(papers.dead_letters, is_json=True)[1]) == [
        {"time_ns": NS + 123_456_789, "why": one.why, "text": one.text, "read_ns": NS + 2_600_000_000},
        {"time_ns": NS + 10**9, "why": two.why, "text": two.text, "read_ns": None},
    ]


def test_without_messages_that_is_said_and_scripts_get_an_empty_list(place):
    """Both are a success."""
    code, output, talk = place.run(papers.dead_letters)
    assert (code, output) == (ExitCode.OK, "")
    assert "every message was understood" in talk
    assert place.run(papers.dead_letters, is_json=True) == (ExitCode.OK, "[]\n", "")
