"""What `tradecore reconcile` prints of a comparison, for people and for scripts, and its exit codes."""

import argparse
import json
from decimal import Decimal

import pytest
from msgspec.structs import replace

from support.venue_process import WIDE_CANARY
from tradecore.domain.venue_findings import BalanceSeen
from tradecore.runtime.live.comparison import Comparison, Finding, FindingKind
from tradecore_api.commands import reconcile as command
from tradecore_api.exit_codes import ExitCode

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
DIFFERS = Finding(kind=FindingKind.IN_DOUBT, subject="7", words="order 7 is in doubt")
BESIDE = Finding(kind=FindingKind.ORDER_OF_OTHERS, subject="web", words="an order of others")
FOUND = Comparison(
    findings=(),
    troubles=(),
    venue_time_ns=5,
    fills_since_ns=1_704_189_600_000_000_000,
    open_orders=3,
    venue_open_orders=4,
    positions={"BTC-USD": -2, "ETH-USD": 5},
    balances=(
        BalanceSeen(currency="USD", total=Decimal("1234.50"), free=Decimal(9)),
        BalanceSeen(currency="BTC", total=Decimal("0.1"), free=Decimal(8)),
    ),
    rounds=2,
)


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """Return what runs the command on a comparison that was made, and returns code, lines and remarks."""
    (tmp_path / "live.toml").write_text(CONFIG)
    (tmp_path / "venue-keys.json").write_text('{"url": "http://127.0.0.1:1", "accounts": {}}')
    (tmp_path / "venue-keys.json").chmod(0o600)
    asked = []

    def of(found, *, is_json=False):
        async def compare(config, folder):
            asked.append((config, folder))
            return {"desk": found}

        monkeypatch.setattr(command, "compare", compare)
        arguments = argparse.Namespace(config=str(tmp_path / "live.toml"), settings=[], json=is_json)
        code = command.reconcile(arguments)
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    of.asked = asked
    return of


def lines_of(output):
    """Return lines, blanks between the columns cut to one."""
    return [" ".join(line.split()) for line in output.splitlines()]


def test_what_agrees_is_told_on_one_page(run, tmp_path):
    """Both counts of orders, positions as sizes, money without needless zeros, and from when on."""
    code, output, talk = run(FOUND)

    assert code == ExitCode.OK
    assert lines_of(output) == [
        "books and venue agree",
        "",
        "account desk",
        f"journal {tmp_path / 'desk.journal'}",
        "open orders 3 in the books, 4 at the venue",
        "positions there BTC-USD -0.0002, ETH-USD 5 lots",
        "balances there 1,234.5 USD, 0.1 BTC (not compared: no instrument is spot with a base)",
        "fills compared since 2024-01-02T10:00:00Z",
    ]
    assert "there is no journal yet, so the books are empty" in talk
    ((config, folder),) = run.asked
    assert (config.tables.account.name, folder.where) == ("desk", str(tmp_path / "desk.journal"))


def test_an_account_that_has_nothing_has_none(run):
    """No line is empty."""
    _, output, _ = run(replace(FOUND, positions={}, balances=()))
    lines = lines_of(output)
    assert "positions there none" in lines
    assert "balances there none (not compared: no instrument is spot with a base)" in lines


def test_of_a_venue_that_has_shown_nothing_nothing_is_told(run):
    """It may have orders and money, and so may the books: a nought would be a lie."""
    _, output, _ = run(replace(FOUND, venue_time_ns=0, fills_since_ns=0, troubles=("no answer",)))
    assert [line.split("  ")[0] for line in output.splitlines()] == [
        "nothing follows: the venue did not show all",
        "",
        "account",
        "journal",
        "",
        "nothing follows from this",
        "- no answer",
    ]


def test_books_without_a_past_are_compared_with_all_trades(run):
    """No date of 1970 is shown."""
    assert "fills compared all that it shows" in lines_of(run(replace(FOUND, fills_since_ns=0))[1])


def test_a_journal_that_is_there_is_not_called_missing(run, tmp_path):
    """Its books are compared."""
    (tmp_path / "desk.journal").write_bytes(b"some")
    assert run(FOUND)[2] == ""


@pytest.mark.parametrize(
    ("changes", "code", "first"),
    [
        ({}, ExitCode.OK, "books and venue agree"),
        ({"findings": (BESIDE,)}, ExitCode.OK, "books and venue agree"),
        ({"findings": (BESIDE, DIFFERS)}, ExitCode.CHECK_FAILED, "books and venue DIFFER"),
        ({"findings": (DIFFERS,), "troubles": ("late",)}, ExitCode.CHECK_FAILED, "books and venue DIFFER"),
        ({"troubles": ("late",)}, ExitCode.UNAVAILABLE, "nothing follows: the venue did not show all"),
    ],
)
def test_the_verdict_is_the_first_line_and_the_code(run, changes, code, first):
    """Orders of others are no difference, and an incomplete answer hides none."""
    assert run(replace(FOUND, **changes), is_json=True)[0] == code
    found, output, _ = run(replace(FOUND, **changes))
    assert (found, output.splitlines()[0]) == (code, first)


def test_each_kind_of_finding_has_a_list_of_its_own(run):
    """Differences, what others have, and why nothing follows; a stranger's words are in one line, cut."""
    trouble = "\x1b[2J" + "x" * 500
    _, output, _ = run(replace(FOUND, findings=(BESIDE, DIFFERS), troubles=(trouble,)))
    *lists, last = output.splitlines()

    assert lists[-8:] == [
        "",
        "differences",
        "- order 7 is in doubt",
        "",
        "of others, no difference",
        "- an order of others",
        "",
        "nothing follows from this",
    ]
    assert last.startswith(r"- \x1b[2J")
    assert len(last) == len("- ") + 400


@pytest.mark.parametrize("more", [-1, 0, 1, 2])
def test_of_a_long_list_the_first_are_printed_and_the_others_counted(run, more):
    """The count comes only where there are others; scripts get all."""
    count = command.LINES_MAX + more
    found = replace(FOUND, troubles=tuple(f"trouble {number}" for number in range(count)))
    _, output, _ = run(found)
    lines = output.splitlines()
    told = [f"- trouble {number}" for number in range(min(count, command.LINES_MAX))]
    if more > 0:
        told.append(f"  and {more} more; --json has all")
    assert lines[lines.index("nothing follows from this") + 1 :] == told
    assert len(json.loads(run(found, is_json=True)[1])["troubles"]) == count


def test_scripts_get_every_figure(run, tmp_path):
    """Each key has its own figure, decimals are text, and findings are parted as the lists are."""
    found = replace(
        FOUND, findings=(BESIDE, DIFFERS), troubles=("late",), compared_balances=frozenset({"BTC", "USD"})
    )
    assert json.loads(run(found, is_json=True)[1]) == {
        "account": "desk",
        "journal": str(tmp_path / "desk.journal"),
        "verdict": "differ",
        "differences": [{"kind": "in_doubt", "subject": "7", "words": "order 7 is in doubt"}],
        "others": [{"kind": "order_of_others", "subject": "web", "words": "an order of others"}],
        "troubles": ["late"],
        "open_orders": 3,
        "venue_open_orders": 4,
        "venue_positions_lots": {"BTC-USD": -2, "ETH-USD": 5},
        "venue_balances": {
            "USD": {"total": "1234.50", "free": "9"},
            "BTC": {"total": "0.1", "free": "8"},
        },
        "compared_balances": ["BTC", "USD"],
        "venue_time_ns": 5,
        "fills_since_ns": 1_704_189_600_000_000_000,
        "rounds": 2,
    }
