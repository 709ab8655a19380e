"""`tradecore compare` as it is called: of journals, of a configuration, and what it refuses."""

import csv
import io
import json
import shutil

import pytest

from support.shared import ROOT
from tradecore_api.cli import main
from tradecore_api.exit_codes import ExitCode

GOLDEN = ROOT / "tests/replay/golden/behaviour-3"


@pytest.fixture
def journals(tmp_path):
    """Return two journals: of a paper run, and of a run with random orders of every kind."""
    for name in ("run", "quotes"):
        shutil.copy(GOLDEN / f"{name}.journal", tmp_path / f"{name}.journal")
    return str(tmp_path / "run.journal"), str(tmp_path / "quotes.journal")


def test_a_journal_beside_itself_is_the_same(journals, capsys):
    """Any mode beside any mode; alike ones are called the first and the second."""
    assert main(["compare", journals[1], journals[1]]) == ExitCode.OK
    printed = capsys.readouterr().out
    assert "first       " in printed
    assert "are alike" in printed
    assert "difference  +0.00 USD: orders +0.00" in printed
    assert "no order differs" in printed


def test_all_orders_can_be_seen_as_lines_json_and_rows(journals, capsys):
    """The same orders in each form."""
    main(["compare", journals[1], journals[1], "--json"])
    told = json.loads(capsys.readouterr().out)
    orders = told["orders"]
    assert len(orders) > 20
    assert told["decisions"]["part"] is False
    main(["compare", journals[1], journals[1], "--all"])
    assert f"\norders ({len(orders)} of {len(orders)})\n" in capsys.readouterr().out
    main(["compare", journals[1], journals[1], "--csv", "-"])
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert len(rows) == sum(max(1, len(order["first"]["fills"])) for order in orders)
    assert sum(bool(row["second_price"]) for row in rows) == sum(
        len(row["second"]["fills"]) for row in orders
    )


@pytest.mark.parametrize("path", sorted(GOLDEN.parent.rglob("*.journal")), ids=lambda path: str(path)[-24:])
def test_journals_of_every_behaviour_can_be_compared(path, capsys):
    """What older engines wrote is read as it is."""
    assert main(["compare", str(path), str(path), "--json"]) == ExitCode.OK
    told = json.loads(capsys.readouterr().out)
    assert told["orders"]
    assert told["difference"] == told["rest"] == "0"


def test_a_file_of_rows_is_told_of_beside_the_data(journals, tmp_path, capsys):
    """The file has them, and nothing is on standard output."""
    target = tmp_path / "sides.csv"
    assert main(["compare", journals[1], journals[1], "--csv", str(target)]) == ExitCode.OK
    captured = capsys.readouterr()
    assert captured.out == ""
    assert f"orders written to {target}" in captured.err
    assert target.read_text().startswith("decided_utc,strategy,symbol,account,side,kind,fill,first_order")


@pytest.mark.parametrize(
    ("arguments", "words", "code"),
    [
        (["run", "none.journal"], "none.journal", ExitCode.STORAGE),
        (["run", "text"], "is no journal: name the journal file of a run", ExitCode.DATA),
        (["run", "run", "--set", "fees.taker_bps=1"], "is a setting of a backtest", ExitCode.CONFIG),
        (["run", "none.toml"], "none.toml", ExitCode.CONFIG),
        (["run", "run", "--csv", "x.json"], "the file is CSV", ExitCode.CONFIG),
    ],
)
def test_what_cannot_be_compared_is_refused_in_a_line(journals, tmp_path, capsys, arguments, words, code):
    """It names the file and what to do."""
    (tmp_path / "text").write_text("no journal at all")
    known = {"run": journals[0], "quotes": journals[1], "text": str(tmp_path / "text")}
    made = [known.get(each, each) for each in arguments]
    assert main(["compare", *made]) == code
    assert words in capsys.readouterr().err
