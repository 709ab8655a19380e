"""What `tradecore trades` prints, which trades it takes, and where it looks for them."""

import argparse
import json
from decimal import Decimal

import msgspec
import pytest

from tradecore.domain.closed_trades import ClosedTrade, OtherFee
from tradecore.domain.errors import ConfigError, StorageError
from tradecore.domain.questions import FillEntry
from tradecore_api.commands import trades
from tradecore_api.commands.trades import _fees_of
from tradecore_api.exit_codes import ExitCode
from tradecore_api.heartbeat import Heartbeat
from tradecore_api.named_journal import chosen_journal
from tradecore_api.state_dir import StateDir

NS = 1_704_189_600_000_000_000
S = 1_000_000_000


def trade(exit_ns, *, pnl="1.25", fees="0.5", currency="USD"):
    """Return a closed trade that ended then."""
    return ClosedTrade(
        symbol="BTC-USD",
        strategy="one",
        side="long",
        quantity=Decimal("0.10"),
        entry_time_ns=NS,
        exit_time_ns=exit_ns,
        entry_price=Decimal(50_000),
        exit_price=Decimal("50012.5"),
        pnl=Decimal(pnl),
        fees=Decimal(fees),
        currency=currency,
        entry_order=7,
        exit_order=8,
    )


FOUND = [trade(NS + S), trade(NS + 2 * S, pnl="-3"), trade(NS + 3 * S, pnl="1000")]


@pytest.fixture
def run(monkeypatch, capsys):
    """Return what runs the command on trades that were made, and returns output and remarks."""

    def of(found=FOUND, *, fees=(), csv=None, is_json=False, since=None, until=None):
        monkeypatch.setattr(trades, "chosen_journal", lambda source, beside: None)
        monkeypatch.setattr(trades, "_of_journal", lambda journal: ("EUR", list(found), list(fees)))
        given = {"csv": csv, "since": since, "until": until, "db": None, "json": is_json, "source": None}
        assert trades.trades(argparse.Namespace(**given)) == ExitCode.OK
        captured = capsys.readouterr()
        return captured.out, captured.err

    return of


def test_trades_stand_in_a_table_with_their_sum_below(run):
    """Times to the millisecond, money with two digits, and the number with the right word."""
    output, talk = run(FOUND[:1])
    assert talk == ""
    assert [" ".join(line.split()) for line in output.splitlines()] == [
        "symbol strategy side quantity entry at exit at PnL fees",
        "BTC-USD one long 0.10 2024-01-02T10:00:00.000Z 50000 2024-01-02T10:00:01.000Z 50012.5 1.25 0.50",
        "1 closed trade: PnL 1.25 USD after 0.50 USD of fees",
    ]
    head, row, _ = output.splitlines()
    assert head.index("quantity") == row.index("0.10")
    assert run()[0].splitlines()[-1] == "3 closed trades: PnL 998.25 USD after 1.50 USD of fees"


def test_trades_of_several_accounts_say_at_which_they_were(run):
    """As the file has it; with one account nobody needs the column."""
    output, _ = run([msgspec.structs.replace(FOUND[0], account="left"), FOUND[1]])
    head, first, second, *_ = [line.split() for line in output.splitlines()]
    assert head[:3] == ["symbol", "account", "strategy"]
    assert (first[:3], second[:3]) == (["BTC-USD", "left", "one"], ["BTC-USD", "one", "long"])


def test_without_trades_there_is_no_table(run):
    """The sum is in the currency of the account."""
    assert run([])[0] == "0 closed trades: PnL 0.00 EUR after 0.00 EUR of fees\n"


def test_each_currency_has_a_sum_of_its_own(run):
    """In the order of their names; nothing is added over two of them."""
    found = [
        trade(NS, currency="USD"),
        trade(NS, pnl="2", currency="EUR"),
        trade(NS, pnl="4", currency="USD"),
    ]
    assert run(found)[0].splitlines()[-1] == (
        "3 closed trades: PnL 2.00 EUR after 0.50 EUR of fees; PnL 5.25 USD after 1.00 USD of fees"
    )


def test_fees_that_are_no_part_of_a_trade_are_said_beside_its_profit(run, tmp_path):
    """Else a day that lost money by fees in a token of its venue looks like one that made some."""
    fees = [
        OtherFee(venue_time_ns=NS + S, currency="FEE", amount=Decimal("0.25")),
        OtherFee(venue_time_ns=NS + 2 * S, currency="FEE", amount=Decimal("1.5")),
        OtherFee(venue_time_ns=NS + 2 * S, currency="ABC", amount=Decimal(-1)),
    ]
    said = "3 closed trades: PnL 998.25 USD after 1.50 USD of fees; not in it: fees of -1.00 ABC, 1.75 FEE"
    assert run(fees=fees)[0].splitlines()[-1] == said
    assert said in run(fees=fees, csv=str(tmp_path / "trades.csv"))[1]
    assert run(fees=fees, until="2024-01-02T10:00:02Z")[0].splitlines()[-1] == (
        "1 closed trade: PnL 1.25 USD after 0.50 USD of fees; not in it: fees of 0.25 FEE"
    )


def test_each_of_several_strategies_has_a_sum_of_its_own(run):
    """Below the sum of all, in the order of their names."""
    found = [*FOUND, msgspec.structs.replace(trade(NS, pnl="4"), strategy="else")]
    assert run(found)[0].splitlines()[-3:] == [
        "4 closed trades: PnL 1002.25 USD after 2.00 USD of fees",
        "  else: 1 closed trade: PnL 4.00 USD after 0.50 USD of fees",
        "  one: 3 closed trades: PnL 998.25 USD after 1.50 USD of fees",
    ]


@pytest.mark.parametrize(
    ("since", "until", "pnls"),
    [
        (None, None, ["1.25", "-3", "1000"]),
        ("2024-01-02T10:00:02Z", None, ["-3", "1000"]),
        ("2024-01-02T10:00:02.000001Z", None, ["1000"]),
        (None, "2024-01-02T10:00:03Z", ["1.25", "-3"]),
        (None, "2024-01-02T10:00:03.000001", ["1.25", "-3", "1000"]),
        ("2024-01-02T11:00:02+01:00", "2024-01-02T10:00:03Z", ["-3"]),
        ("2024-01-03", None, []),
        (None, "2024-01-02", []),
    ],
)
def test_trades_are_taken_that_ended_from_a_time_on_and_before_another(run, since, until, pnls):
    """To the microsecond; without a zone a time is UTC, and a date is its first moment."""
    output, _ = run(is_json=True, since=since, until=until)
    assert [row["pnl"] for row in json.loads(output)] == pnls


def test_scripts_get_exact_values_and_both_forms_of_the_times(run):
    """Nanoseconds as they are, and as text."""
    row = json.loads(run(FOUND[:1], is_json=True)[0])[0]
    assert row == msgspec.structs.asdict(FOUND[0]) | {
        "quantity": "0.10",
        "entry_price": "50000",
        "exit_price": "50012.5",
        "pnl": "1.25",
        "fees": "0.5",
        "entry_time": "2024-01-02T10:00:00Z",
        "exit_time": "2024-01-02T10:00:01Z",
    }


@pytest.mark.parametrize("option", ["since", "until"])
def test_a_time_that_is_none_is_named_with_its_option(run, option):
    """And with what would be one."""
    with pytest.raises(ConfigError, match="must be a date or a time such as") as raised:
        run(**{option: "yesterday"})
    assert (raised.value.key, raised.value.value) == (f"--{option}", "yesterday")


def test_what_is_written_to_a_file_is_summed_up_beside_it(run, tmp_path):
    """On stderr with the name of the file; on stdout there is the data alone."""
    path = str(tmp_path / "trades.csv")
    output, talk = run(csv=path)
    assert output == ""
    assert talk.endswith(f"of fees written to {path}\n")
    assert len((tmp_path / "trades.csv").read_text().splitlines()) == 4
    output, talk = run(csv="-")
    assert len(output.splitlines()) == 4
    assert talk == "tradecore: 3 closed trades: PnL 998.25 USD after 1.50 USD of fees\n"


# Where the journal is.


@pytest.fixture
def account(tmp_path, monkeypatch):
    """Return what makes an account, which may have a heartbeat that names its journal."""
    monkeypatch.setenv("TRADECORE_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.chdir(tmp_path)

    def made(name, journal=None, *, is_there=True):
        state = StateDir(name)
        state.create()
        path = state.journal if journal is None else tmp_path / journal
        if journal is not None:
            beat = Heartbeat(pid=1, time_ns=1, phase="ended", account=name, mode="paper", journal=str(path))
            beat.write(state.heartbeat)
        else:
            state.last_words.write_text("{}")
        if is_there:
            path.write_bytes(b"some")
        return str(path)

    return made


def where(source):
    """Return the journal that is meant."""
    return chosen_journal(source, ", or --db FILE").where


def test_the_journal_of_an_account_is_where_its_engine_said(account):
    """Or else with the account; the only account needs no name."""
    own = account("one", "own.journal")
    assert where("one") == where(None) == own
    default = account("two")
    assert where("two") == default
    with pytest.raises(ConfigError, match=r"name an account \(one, two\) or a journal file, or --db FILE"):
        where(None)


def test_a_file_comes_before_an_account_of_its_name(account, tmp_path):
    """It is what a person sees in the folder."""
    account("one", "own.journal")
    (tmp_path / "one").write_bytes(b"some")
    assert where("one").endswith("one")
    assert not where("one").endswith("own.journal")


def test_what_is_neither_is_named_with_the_accounts_that_there_are(account):
    """A path that no account could have is a file that is not there."""
    with pytest.raises(ConfigError, match=r"name an account \(there is none\)"):
        where(None)
    with pytest.raises(ConfigError, match="no account of this name has a journal; accounts here: none"):
        where("one")
    account("one", "own.journal", is_there=False)
    with pytest.raises(ConfigError, match="accounts here: one"):
        where("one")
    with pytest.raises(StorageError, match=r"some/where\.journal"):
        where("some/where.journal")


def fill(fee, currency):
    """Return a row of a fill with this fee."""
    return FillEntry(
        seq=1,
        time_ns=NS,
        venue_time_ns=NS + S,
        order_id=7,
        strategy="one",
        symbol="BTC-USD",
        side="buy",
        price=Decimal(50_000),
        quantity=Decimal("0.10"),
        liquidity="taker",
        fee=fee,
        fee_currency=currency,
    )


@pytest.mark.parametrize(
    ("fee", "currency", "is_other"),
    [
        (Decimal("0.5"), "BNB", True),
        (Decimal("-0.5"), "BNB", True),
        (Decimal("0.5"), "USD", False),
        (Decimal(0), "BNB", False),
        (None, "BNB", False),
        (Decimal("0.5"), None, False),
        (None, None, False),
    ],
)
def test_a_fee_is_another_one_where_it_was_paid_in_a_currency_that_does_not_settle(fee, currency, is_other):
    """No fee, one of nothing and one of no currency are none."""
    expected = [OtherFee(venue_time_ns=NS + S, currency=currency, amount=fee)] if is_other else []
    assert _fees_of(fill(fee, currency), "USD") == expected
