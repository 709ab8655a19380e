"""Live engines inside of other asyncio programs: the examples, run against a local venue."""

import json
import signal
import socket
import sys
import time
import urllib.error
import urllib.request

import pytest

from support.command_line import CommandLine
from support.shared import ROOT
from support.venue_process import WIDE_CANARY
from tradecore.domain.journal import JournalFolder
from tradecore.runtime.live.client_ids import ClientIds
from tradecore_api.wiring import local_venue

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX"),
]
LINES_MAX = 40
VENUE = """
[[accounts]]
name = "one"
balances = { USD = "10000" }
[[accounts]]
name = "two"
balances = { USD = "10000" }
[[markets]]
base = "BTC"
quote = "USD"
is_margin = true
leverage = 5
instrument = { symbol = "BTC-USD", tick_size = "0.01", lot_size = "0.0001" }
"""
LIVE = (
    """
mode = "live"
live.keys = "venue-keys.json"
live.account = "one"
live.person = "Test"
feed = { kind = "local" }
instruments = [{ symbol = "BTC-USD", tick_size = "0.01", lot_size = "0.0001" }]
account = { name = "one", cash = "10000" }
venue = { matching = "book" }
strategy = { class = "tradecore_api.demo_strategies:Quoter" }
journal = { path = "one.journal" }
"""
    + WIDE_CANARY
)


@pytest.fixture
def ground(tmp_path):
    """Return a folder beside a venue with two accounts."""
    shell = CommandLine(tmp_path)
    shell.write("venue.toml", VENUE)
    shell.write("live.toml", LIVE)
    with shell.start("venue", "serve", "--port", "0", "--settings", "venue.toml") as venue:
        keys = tmp_path / "venue-keys.json"
        deadline = time.monotonic() + 20
        while not keys.exists():
            assert time.monotonic() < deadline
            time.sleep(0.05)
        yield shell
        venue.send_signal(signal.SIGINT)
        venue.communicate(timeout=10)


def example(shell, name, *arguments):
    """Start an example in the folder of the venue."""
    return shell.start(*arguments, program=str(ROOT / "examples" / name))


def free_port():
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def asked(port):
    """Return status and answer of the service, or why it does not answer."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)
    except OSError as error:
        return 0, error


@pytest.mark.parametrize("name", ["live_service.py", "live_two_accounts.py"])
def test_an_embedded_engine_takes_at_most_forty_lines(name):
    """What a reader copies is short."""
    assert len((ROOT / "examples" / name).read_text().splitlines()) <= LINES_MAX


def test_a_service_with_an_engine_in_it_answers_and_ends_it_cleanly(ground):
    """It says 200 once books and venue agree; the commands reach the engine; Ctrl-C ends both."""
    port = free_port()
    ground.arm()
    with example(ground, "live_service.py", "live.toml", port) as service:
        deadline = time.monotonic() + 30
        while (found := asked(port))[0] != 200:
            assert time.monotonic() < deadline, found
            assert service.poll() is None, service.communicate()
            time.sleep(0.1)
        assert found[1]["venue"]["step"] == "agreed"
        ground.run("pause", "one")
        assert asked(port)[0] == 503
        said = json.loads(ground.run("status", "one", "--json")[0])
        assert (said["state"], said["engine"]["pid"]) == ("running", service.pid)
        service.send_signal(signal.SIGINT)
        output, talk = service.communicate(timeout=20)

    assert service.returncode == 0, talk
    assert "Traceback" not in talk
    assert "journal_verified=True" in output
    ends = [
        fields
        for _, _, kind, fields in JournalFolder(ground.folder / "one.journal").reader()
        if kind == "session_end"
    ]
    assert [end["reason"] for end in ends] == ["stopped"]
    assert json.loads(ground.run("status", "one", "--json", code=3)[0])["state"] == "not running"


def test_two_accounts_in_one_process_do_not_see_each_other(ground):
    """Each account has the orders of its own journal at the venue, all of them, and no other one's."""
    with example(ground, "live_two_accounts.py", "venue-keys.json", "one", "two") as program:
        output, talk = program.communicate(timeout=40)
    assert program.returncode == 0, talk
    assert [line.split()[0] for line in output.splitlines()] == ["one", "two"]

    for account in ("one", "two"):
        journal = JournalFolder(ground.folder / f"{account}.journal")
        truth = local_venue.truth(ground.folder / "venue-keys.json", account)
        ids = ClientIds(0, journal.first_hash())
        names = {deed.client_order_id for deed in truth.deeds if _is_order_of(deed, account)}
        there = {ids.order_id(name) for name in names}
        taken = {
            fields["order_id"]
            for _, _, kind, fields in journal.reader()
            if kind == "venue_report" and fields.get("venue_order_id")
        }
        assert None not in there
        assert taken <= there
        assert len(taken) > 5
        assert [fields for _, _, kind, fields in journal.reader() if kind == "surprise"] == []


def _is_order_of(deed, account):
    return deed.account == account and hasattr(deed, "state")
