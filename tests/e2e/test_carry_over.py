"""`tradecore run --carry-over`: an account goes on where settings, strategies or the version have changed."""

import json
import shutil
from decimal import Decimal
from pathlib import Path

import pytest

from support.command_line import PAPER, CommandLine
from support.tables import rebuilt
from tradecore.domain.journal import JournalFolder
from tradecore_api.exit_codes import ExitCode

GOLDEN = Path(__file__).parents[1] / "replay" / "golden"
VERSIONS = sorted(GOLDEN.glob("behaviour-*"))
RUN = ("run", "paper.toml", "--json", "--set", "journal.path=j", "--set", "log.level=error")
# What the first run of each test has, and what the next one has in its place.
FIRST = ("--set", "feed.seconds=0.4")
NEXT = ("--set", "feed.seconds=0.8", "--set", "strategy.quantity=0.02")

BUYER = '''
class Buyer:
    """Buys at its first books, and rests an order that never fills."""

    seen: int = 0
    quantity: float = 0.01

    def on_book(self, ctx, book):
        """Buy a little, three times."""
        self.seen += 1
        if self.seen in (5, 9, 30):
            ctx.buy(quantity=self.quantity)
        if self.seen == 12:
            ctx.buy(quantity=self.quantity, limit=50_000.00)
'''


@pytest.fixture
def shell(tmp_path):
    """Return a command line in a folder with a paper configuration."""
    shell = CommandLine(tmp_path)
    shell.write("paper.toml", PAPER)
    shell.write("buyer.py", BUYER)
    return shell


def opening_of(shell, journal="j"):
    """Return the first event of a journal, as programs read it."""
    lines = shell.run("journal", "export", journal)[0].splitlines()
    first = json.loads(lines[1])
    assert (first["kind"], first["account"]) == ("account", "opening")
    return first


def kept(shell, journal="j"):
    """Return the journals that were kept beside one."""
    return JournalFolder(shell.folder / journal).older()


def test_an_account_goes_on_with_another_setting_and_its_figures_do_too(shell):
    """Cash and positions are those of before, to the last unit; profit goes on; so does another start."""
    before = json.loads(shell.run(*RUN, *FIRST)[0])
    old = JournalFolder(shell.folder / "j").verify()
    shell.refused(
        *RUN, *NEXT, code=ExitCode.CONFIG, says=["strategies.0.parameters.quantity", "--carry-over"]
    )
    after = json.loads(shell.run(*RUN, *NEXT, "--carry-over")[0])

    opening = opening_of(shell)
    tables = rebuilt(kept(shell)[0].absolute, shell.folder / "old.sqlite")
    lots = sum(row["lots"] for row in tables["positions"])
    assert sum(lot["lots"] for lot in opening["lots"]) == lots != 0
    assert lots * Decimal("0.0001") == Decimal(before["positions"]["BTC-USD"])
    (mark,) = opening["prices"]
    held = lots * Decimal("0.0001") * mark["price_ticks"] * Decimal("0.01")
    assert Decimal(opening["cash"]["USD"]) + held == Decimal(before["equity"])
    assert Decimal(opening["brought"]) == 100_000
    assert opening["before"] == old.head
    assert "strategies.0.parameters.quantity was 0.01, is 0.02" in opening["changed"]
    assert Decimal(after["equity"]) - Decimal(after["pnl"]) == 100_000
    assert after["orders"] > 0
    # The events that the account has lived through are not brought again.
    times = [time_ns for _, time_ns, kind, _ in JournalFolder(shell.folder / "j").reader() if kind == "flow"]
    assert times[0] >= opening["time_ns"]

    records = JournalFolder(shell.folder / "j").verify().records
    shell.run(*RUN, *NEXT, "--carry-over")
    assert len(kept(shell)) == 1
    assert JournalFolder(shell.folder / "j").verify().records == records
    shell.run("journal", "replay", "j")


@pytest.mark.parametrize("lots_method", ["fifo", "average"])
def test_tables_and_trades_of_the_account_go_on_too(shell, lots_method):
    """Positions begin with the opening's lots, and a trade that closes later has its entry of before."""
    run = (*RUN, "--set", f"account.lots={lots_method}")
    shell.run(*run, *FIRST)
    after = json.loads(shell.run(*run, *NEXT, "--carry-over")[0])
    opening = opening_of(shell)
    assert {"cost" in lot for lot in opening["lots"]} == {lots_method == "average"}
    shell.run("db", "rebuild", "--journal", "j", "again.sqlite")
    tables = rebuilt(shell.folder / "j", shell.folder / "new.sqlite")

    lots = {row["instrument"]: row["lots"] for row in tables["positions"]}
    assert lots[0] * Decimal("0.0001") == Decimal(after["positions"]["BTC-USD"])
    assert [row["kind"] for row in tables["account_events"]] == ["opening"]
    assert len(tables["opening_lots"]) == len(opening["lots"])
    of_journal = json.loads(shell.run("trades", "j", "--json")[0])
    of_tables = json.loads(shell.run("trades", "--db", "again.sqlite", "--json")[0])
    assert of_journal == of_tables
    trades = of_journal if isinstance(of_journal, list) else of_journal["trades"]
    assert trades[0]["entry_order"] == opening["lots"][0]["entry_order"]
    assert trades[0]["entry_time_ns"] == opening["lots"][0]["entry_time_ns"]


def test_the_same_feed_is_taken_up_where_the_journal_before_ends(shell):
    """Event by event: none is brought twice and none is left out."""
    first = ("--set", "strategy.class=buyer.py:Buyer", "--set", "strategy.quantity=0.01")
    shell.write("paper.toml", PAPER.replace("position_max = 0.05\n", ""))
    with shell.start(*RUN, *first, "--set", "feed.virtual=false", "--set", "feed.seconds=30") as process:
        JournalGrows(shell.folder / "j").wait(process)
        process.terminate()
        process.communicate(timeout=20)
    events = sum(kind == "flow" for _, _, kind, _ in JournalFolder(shell.folder / "j").reader())
    more = ("--set", "feed.virtual=false", "--set", "feed.seconds=30", "--set", "strategy.quantity=0.03")
    with shell.start(*RUN, *first, *more, "--carry-over") as process:
        JournalGrows(shell.folder / "j", kinds=60, is_new=True).wait(process)
        process.terminate()
        process.communicate(timeout=20)

    assert opening_of(shell)["market_events"] == events
    flows = [
        [(time_ns, tuple(fields.items())) for _, time_ns, kind, fields in folder.reader() if kind == "flow"]
        for folder in (*kept(shell), JournalFolder(shell.folder / "j"))
    ]
    assert flows[1]
    times = [time_ns for time_ns, _ in (*flows[0], *flows[1])]
    assert times == sorted(times)
    assert flows[0][-1] != flows[1][0]


class JournalGrows:
    """Waits until a journal has so many market events; a new one, until there is one that was kept."""

    def __init__(self, path, kinds=120, *, is_new=False) -> None:
        self._path, self._count, self._is_new = path, kinds, is_new

    def wait(self, process):
        """Look until it is so, or until the process has ended."""
        import time

        deadline = time.monotonic() + 30
        while time.monotonic() < deadline and process.poll() is None:
            if self._path.exists() and (JournalFolder(self._path).older() or not self._is_new):
                flows = sum(kind == "flow" for _, _, kind, _ in JournalFolder(self._path).reader())
                if flows >= self._count:
                    return
            time.sleep(0.1)
        raise AssertionError(process.communicate())


def test_another_code_is_told_in_words_and_carried_over(shell):
    """Exit 70 names time, event, order and values; with the option the account goes on with the new code."""
    named = ("--set", "strategy.class=buyer.py:Buyer")
    shell.write("paper.toml", PAPER.replace("position_max = 0.05\n", ""))
    before = json.loads(shell.run(*RUN, *FIRST, *named)[0])
    shell.write("buyer.py", BUYER.replace("limit=50_000.00", "limit=50_001.50"))
    said = shell.refused(
        *RUN,
        *FIRST,
        *named,
        code=ExitCode.BROKEN_INVARIANT,
        says=["the replay parts from the journal at 2026-"],
    )
    for words in (
        "order 3 of Buyer",
        "price was 50000.00, is 50001.50",
        "buy 0.01 BTC-USD limit",
        "--carry-over",
    ):
        assert words in said
    shell.run(*RUN, *named, "--set", "feed.seconds=0.6", "--carry-over")

    opening = opening_of(shell)
    assert "feed.seconds was 0.4, is 0.6" in opening["changed"]
    assert "ended: order 3 of Buyer: buy 0.01 BTC-USD limit at 50000.00" in opening["changed"]
    assert sum(lot["lots"] for lot in opening["lots"]) == 300
    assert before["positions"] == {"BTC-USD": "0.03"}


def test_a_divergence_alone_is_carried_over_too(shell):
    """No setting has changed, only the code: the opening keeps where the replay parted."""
    named = ("--set", "strategy.class=buyer.py:Buyer")
    shell.write("paper.toml", PAPER.replace("position_max = 0.05\n", ""))
    shell.run(*RUN, *FIRST, *named)
    shell.write("buyer.py", BUYER.replace("limit=50_000.00", "limit=50_001.50"))
    shell.run(*RUN, *FIRST, *named, "--carry-over")

    changed = opening_of(shell)["changed"]
    assert "code of a strategy or of the engine: the replay parts from the journal at 2026-" in changed
    assert "price was 50000.00, is 50001.50" in changed


def test_an_account_that_changed_its_feed_is_carried_over_with_that_feed_again(shell):
    """Event by event: the feed was taken up at a time, and goes on behind what was counted since."""
    shell.write("paper.toml", PAPER.replace("position_max = 0.05\n", ""))
    buys = (*RUN, "--set", "strategy.class=buyer.py:Buyer")
    other = (*buys, "--carry-over", "--set", "feed.seconds=20")
    shell.run(*buys, *FIRST)
    shutil.copy(shell.folder / "j", shell.folder / "whole")
    shell.run(*other, "--set", "strategy.quantity=0.02", "--set", "journal.path=whole")
    slow = ("--set", "feed.virtual=false", "--set", "strategy.quantity=0.02")
    with shell.start(*other, *slow) as process:
        JournalGrows(shell.folder / "j", kinds=60, is_new=True).wait(process)
        process.terminate()
        process.communicate(timeout=20)
    shell.run(*other, "--set", "strategy.quantity=0.03")
    records = JournalFolder(shell.folder / "j").verify().records
    shell.run(*other, "--set", "strategy.quantity=0.03")
    shell.run("journal", "replay", "j")

    before, now = kept(shell)[-1], JournalFolder(shell.folder / "j")
    assert flows_of(before)
    assert flows_of(now)
    assert flows_of(before) + flows_of(now) == flows_of(JournalFolder(shell.folder / "whole"))
    assert now.verify().records == records


def flows_of(journal):
    """Return time and values of every market event of a journal."""
    return [(time_ns, fields) for _, time_ns, kind, fields in journal.reader() if kind == "flow"]


def test_what_is_said_names_what_was_kept_what_changed_and_what_ended(shell):
    """A person at the terminal sees it at the start, before anything trades."""
    named = ("--set", "strategy.class=buyer.py:Buyer")
    shell.write("paper.toml", PAPER.replace("position_max = 0.05\n", ""))
    shell.run(*RUN, *FIRST, *named)
    loud = [*RUN[:-1], "log.level=info"]
    _, talk = shell.run(*loud, "--set", "feed.seconds=0.6", *named, "--carry-over")

    assert f"its journal before is kept as {kept(shell)[0].where}" in talk or "is kept as j.2" in talk
    assert "changed: feed.seconds was 0.4, is 0.6" in talk
    assert "ended, because it was open before: order 3 of Buyer: buy 0.01 BTC-USD limit at 50000.00" in talk
    assert "positions: 0.03 BTC-USD of Buyer" in talk


def test_cash_of_the_settings_is_said_not_to_be_used(shell):
    """The account has what it has; a person who changed the setting reads so."""
    shell.run(*RUN, *FIRST)
    loud = [*RUN[:-1], "log.level=info"]
    _, talk = shell.run(*loud, *FIRST, "--set", "account.cash=5", "--carry-over")

    assert "engine.account.cash was '100000', is '5' (not used: the account keeps its cash)" in talk
    assert abs(Decimal(opening_of(shell)["cash"]["USD"]) - 100_000) < 10_000


def test_a_strategy_that_is_gone_with_a_position_is_refused_with_what_to_do(shell):
    """Nobody would look after it; nothing is changed."""
    shell.run(*RUN, *FIRST)
    before = (shell.folder / "j").read_bytes()
    shell.refused(
        *RUN, *FIRST, "--set", "strategy.name=other", "--carry-over",
        code=ExitCode.CONFIG, says=["strategy", "Quoter", "has a position", "Put the strategy back"],
    )  # fmt: skip
    assert (shell.folder / "j").read_bytes() == before
    assert [
        path.name
        for path in shell.folder.glob("j*")
        if path.suffix != ".lock" and ".snapshot." not in path.name
    ] == ["j"]


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        (["instruments.0.symbol=ETH-USD"], ["instrument", "BTC-USD", "has a position"]),
        (["instruments.0.multiplier=2"], ["instruments.BTC-USD.multiplier", "restore it"]),
        (
            ["instruments.0.base=BTC", 'account.conversions={BTC="BTC-USD"}'],
            ["instruments.BTC-USD.base", "restore it"],
        ),
        (
            ["instruments.0.settlement=EUR", 'account.conversions={EUR="1.1"}'],
            ["instruments.BTC-USD.settlement", "restore it"],
        ),
        (
            ["instruments.0.lot_size=0.004"],
            ["opening.lots[0].quantity", "must be a multiple of the lot size"],
        ),
        (["account.currency=EUR"], ["currency", "USD", "must be EUR", "restore", "`tradecore transfer`"]),
    ],
)
def test_a_position_that_has_no_place_any_more_is_refused_by_key_value_and_rule(shell, settings, says):
    """The instrument is gone or another contract, its grid too coarse, or the currency another one."""
    shell.run(*RUN, *FIRST)
    before = (shell.folder / "j").read_bytes()
    options = [part for setting in settings for part in ("--set", setting)]
    shell.refused(*RUN, *FIRST, *options, "--carry-over", code=ExitCode.CONFIG, says=says)

    assert (shell.folder / "j").read_bytes() == before
    assert kept(shell) == []


def test_without_a_journal_or_with_the_same_settings_the_option_changes_nothing(shell):
    """It may stand in a unit file for good."""
    first = json.loads(shell.run(*RUN, *FIRST, "--carry-over")[0])
    again = json.loads(shell.run(*RUN, *FIRST, "--carry-over")[0])

    assert first["journal_head"] == again["journal_head"]
    assert kept(shell) == []
    shell.run(*RUN, *FIRST, "--carry-over", "--new-journal", code=ExitCode.USAGE)


@pytest.mark.parametrize("version", VERSIONS, ids=lambda path: path.name)
def test_the_journal_of_an_earlier_behaviour_is_carried_over(version, tmp_path):
    """It is read and not replayed: positions are those of its tables, and the old file is kept whole."""
    shell = CommandLine(tmp_path)
    for name in ("run.journal", "run.toml"):
        shutil.copy(version / name, tmp_path / name)
    before = (tmp_path / "run.journal").read_bytes()
    tables = rebuilt(tmp_path / "run.journal", tmp_path / "old.sqlite")
    run = ("run", "run.toml", "--json", "--set", "journal.path=run.journal", "--set", "log.level=error")
    shell.run(*run, "--set", "feed.seconds=0.3", "--carry-over")

    (old,) = kept(shell, "run.journal")
    assert old.absolute.read_bytes() == before
    opening = opening_of(shell, "run.journal")
    number = version.name.removeprefix("behaviour-")
    assert f"behaviour was {number}, is" in opening["changed"]
    lots = {}
    for lot in opening["lots"]:
        lots[lot["instrument"]] = lots.get(lot["instrument"], 0) + lot["lots"]
    assert lots == {row["instrument"]: row["lots"] for row in tables["positions"] if row["lots"]}
    fees = sum(int(row["fee_atto"]) for row in tables["fills"])
    paid = sum(
        (1 if row["side"] == "buy" else -1) * row["price_ticks"] * row["lots"] * 10**12
        for row in tables["fills"]
    )
    assert Decimal(opening["cash"]["USD"]) == 100_000 - Decimal(paid + fees).scaleb(-18)
    open_orders = [
        row for row in tables["orders"] if row["state"] not in ("filled", "canceled", "rejected", "expired")
    ]
    assert opening["changed"].count("ended: order") == len(open_orders)
    shell.run("journal", "replay", "run.journal")
    shell.run(*run, "--set", "feed.seconds=0.3")


def test_a_journal_that_is_called_like_an_unfinished_attempt_is_nobodys_to_remove(shell):
    """Another account may call its journal so; what a carry-over uses is a name that no journal may have."""
    shell.run(*RUN, *FIRST)
    for name in ("j.next", ".j.next.kept"):
        shutil.copy(shell.folder / "j", shell.folder / name)
    before = (shell.folder / "j").read_bytes()
    shell.run(*RUN, *NEXT, "--carry-over")

    assert (shell.folder / "j.next").read_bytes() == (shell.folder / ".j.next.kept").read_bytes() == before
    shell.refused(
        *RUN, *FIRST, "--set", "journal.path=.j.next",
        code=ExitCode.CONFIG, says=["journal.path", ".j.next", "a carry-over uses", "choose another one"],
    )  # fmt: skip


def test_a_journal_behind_a_symbolic_link_stays_where_the_link_leads(shell):
    """An operator chose that disk: the new journal is there, the old one beside it, the link as it was."""
    (shell.folder / "disk").mkdir()
    (shell.folder / "j").symlink_to("disk/store")
    shell.run(*RUN, *FIRST)
    before = (shell.folder / "disk" / "store").read_bytes()
    shell.run(*RUN, *NEXT, "--carry-over")

    assert (shell.folder / "j").readlink() == Path("disk/store")
    (older,) = kept(shell)
    assert older.absolute.parent == shell.folder / "disk"
    assert older.absolute.read_bytes() == before
    assert opening_of(shell)["before"] == older.verify().head
    assert list(shell.folder.glob("j.2*")) == []
