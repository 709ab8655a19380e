"""Journals that earlier versions of the engine's behaviour wrote: verified, read, projected, not replayed."""

import asyncio
import json
import os
import shutil
from collections import Counter
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest

from support.command_line import CommandLine
from support.golden import RUNS, write
from support.remembered import BuysAndSells, live_engine
from support.tables import rebuilt
from tradecore import (
    AccountSpec,
    Engine,
    EngineSpec,
    EventBatch,
    FeesSpec,
    InstrumentSpec,
    Matching,
    StrategyBinding,
    VenueSpec,
)
from tradecore._core import AccountFollower, decode_frames
from tradecore.domain.journal import (
    BEHAVIOUR_VERSION,
    JournalFolder,
    encode_session,
    record_kinds,
)
from tradecore.runtime import SessionConfig
from tradecore.runtime.recovery import recorded_config
from tradecore_api.exit_codes import ExitCode
from tradecore_sqlite import schema

GOLDEN = Path(__file__).parent / "golden"
VERSIONS = sorted(GOLDEN.glob("behaviour-*"))
JOURNALS = [path for version in VERSIONS for path in sorted(version.glob("*.journal"))]
# No engine of these sessions writes a hash of its state or opens an account, and nothing surprises or is
# adopted in the one that is live.
NOT_HERE = {"state_hash", "account", "surprise", "adopted"}
# Fields that no record of that session has: its fees are in the currency of its instrument, which is netted.
NOT_OF_LIVE = {
    "revision": {"closes", "fee_currency", "was_fee_currency"},
    "venue_report": {"fee_currency"},
    "venue_revision": {"fee_currency"},
}
# The last version that changed what orders come out of the same events: their digest is that of its journals.
ORDERS_OF = 3
# In no table of the golden rows: as long as the journal itself, and in it word for word.
LONG = {"details", "config", "gates"}
# Columns that came after the rows of these versions were kept; empty for journals that do not say it.
LATER = {"sent_ns"}
# Tables that came after them, empty for those journals.
LATER_TABLES = {"account_events", "opening_lots", "revisions"}


def ids(path):
    """Name a journal by its version and its name."""
    return f"{path.parent.name}-{path.stem}"


def engine_says(path):
    """Return what the engine that wrote a journal said of itself then."""
    return json.loads((path.parent / "engine.json").read_text()).get(path.stem)


def short(tables):
    """Leave out of rows what is long, and columns that came later where they are empty."""

    def is_kept(name, key, value):
        # What numbers mean is compared with the numbers, not with what it was.
        is_text = key in schema.READABLE.get(name, ())
        return key not in LONG and not is_text and (key not in LATER or value is not None)

    return {
        name: [{key: value for key, value in row.items() if is_kept(name, key, value)} for row in rows]
        for name, rows in tables.items()
        if rows or name not in LATER_TABLES
    }


def test_there_are_golden_journals_of_every_version_before_this_one():
    """Whoever raises the version keeps journals of the one before."""
    assert [path.name for path in VERSIONS] == [f"behaviour-{n}" for n in range(1, BEHAVIOUR_VERSION)]


def test_the_golden_journals_hold_every_kind_of_record():
    """Nothing is promised of a kind that no golden journal shows."""
    seen = {kind for path in JOURNALS for _, _, kind, _ in JournalFolder(path).reader()}

    assert seen == {kind.name for kind in record_kinds()} - NOT_HERE


@pytest.mark.parametrize("path", JOURNALS, ids=ids)
def test_an_earlier_journal_verifies_and_reads(path):
    """Every byte is in its place, and every record is what it was."""
    verdict = JournalFolder(path).verify()
    assert verdict.status == "intact"
    if (said := engine_says(path)) is not None:
        assert (verdict.records, verdict.head) == (said["records"], said["head"])
        assert Counter(kind for _, _, kind, _ in JournalFolder(path).reader()) == said["kinds"]


@pytest.mark.parametrize("path", JOURNALS, ids=ids)
def test_an_earlier_journal_is_projected_as_its_engine_saw_it(path, tmp_path):
    """Open orders, counts, positions and money are those that the engine had when it wrote the journal."""
    tables = rebuilt(path, tmp_path / "read.sqlite")
    said = engine_says(path)
    if said is None:
        assert tables["sessions"]
        return
    named = ("order_id", "state", "price_ticks")
    ended = ("filled", "canceled", "rejected", "expired")
    live = [row for row in tables["orders"] if row["state"] not in ended]
    assert [
        {**{name: row[name] for name in named}, "open_lots": (row["lots"] or 0) - row["filled_lots"]}
        for row in live
    ] == [{name: row[name] for name in (*named, "open_lots")} for row in said["open_orders"]]
    assert [len(tables[name]) for name in ("orders", "fills", "refusals")] == [
        said[name] for name in ("orders", "fills", "refusals")
    ]
    positions = {row["instrument"]: row["lots"] for row in tables["positions"]}
    assert [positions.get(instrument, 0) for instrument in range(2)] == said["positions"]
    assert sum(int(row["fee_atto"]) for row in tables["fills"]) == int(said["money"]["fees"])
    flows = Counter()
    for row in tables["cash_flows"]:
        flows[row["kind"]] += int(row["amount_atto"])
    for name in ("funding", "borrow", "liquidation_fee", "insurance"):
        assert flows[name] == int(said["money"][name])
    assert all(row["started_ns"] > 0 and row["ended_ns"] > 0 for row in tables["sessions"])


@pytest.mark.parametrize("path", JOURNALS, ids=ids)
def test_what_numbers_mean_stands_beside_them(path, tmp_path):
    """Names, and decimals that are exactly ticks times tick size, lots times lot size, and money."""
    tables = rebuilt(path, tmp_path / "read.sqlite")
    config = json.loads(tables["sessions"][0]["config"])
    known = config["engine"]["instruments"]
    names = [strategy.get("name", f"strategy {n}") for n, strategy in enumerate(config["strategies"])]

    for row in (row for name in schema.READABLE for row in tables[name]):
        instrument = known[row["instrument"]]
        assert row["symbol"] == instrument["symbol"]
        assert row["strategy_name"] == names[row["strategy"]]
        if row.get("price_ticks") is not None:
            assert Decimal(row["price"]) == row["price_ticks"] * Decimal(instrument["tick_size"])
        lots = row.get("lots", row.get("position_lots"))
        if lots is not None:
            assert Decimal(row["quantity"]) == lots * Decimal(instrument["lot_size"])
        for money in ("fee", "amount", "equity", "maintenance"):
            if money in row:
                assert Fraction(row[money]) == Fraction(int(row[f"{money}_atto"]), 10**18)


@pytest.mark.parametrize("path", JOURNALS, ids=ids)
def test_an_earlier_account_is_followed_as_its_engine_had_it(path):
    """Cash, positions, worth and open orders are those that the engine had: that is what is carried over."""
    said = engine_says(path)
    if said is None:
        return
    recorded = SessionConfig.decoded(recorded_config(JournalFolder(path)))
    follower = AccountFollower(recorded.engine, [str(each["name"]) for each in recorded.strategies])
    for chunk in JournalFolder(path).chunks():
        follower.take(chunk)
    opening = follower.opening()
    money = {name: int(value) for name, value in said["money"].items()}
    assert list(opening["cash"].values()) == [money["cash"]]
    assert (opening["brought"], follower.equity()) == (money["opening"], money["equity"])
    lots = Counter()
    for lot in opening["lots"]:
        lots[lot["instrument"]] += lot["lots"]
    assert [lots[instrument] for instrument in range(2)] == said["positions"]
    assert [(order["order_id"], order["open_lots"]) for order in follower.open_orders()] == [
        (order["order_id"], order["open_lots"]) for order in said["open_orders"]
    ]
    assert opening["last_order_id"] >= said["orders"]


@pytest.mark.parametrize("version", VERSIONS, ids=lambda path: path.name)
def test_the_rows_of_an_earlier_journal_stay_as_they_are(version, tmp_path):
    """Row by row. TRADECORE_WRITE_GOLDEN=1 writes them anew: right only when the tables change on purpose."""
    found = {}
    for path in sorted(version.glob("*.journal")):
        found[path.stem] = short(rebuilt(path, tmp_path / f"{path.stem}.sqlite"))
    kept = version / "tables.json"
    if "TRADECORE_WRITE_GOLDEN" in os.environ:
        lines = [f"{json.dumps(name)}: {_lines(tables)}" for name, tables in found.items()]
        kept.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")

    assert found == json.loads(kept.read_text(encoding="utf-8"))


def _lines(tables):
    """Write tables with a row a line."""
    parts = []
    for name, rows in tables.items():
        inner = ",\n".join(f"  {json.dumps(row)}" for row in rows)
        parts.append(f" {json.dumps(name)}: [\n{inner}\n ]" if rows else f" {json.dumps(name)}: []")
    return "{\n" + ",\n".join(parts) + "\n}"


@pytest.fixture(params=VERSIONS, ids=lambda path: path.name)
def shell(tmp_path, request):
    """Return a folder with the golden run of a version in it, and the command."""
    for name in ("run.journal", "run.toml"):
        shutil.copy(request.param / name, tmp_path / name)
    return Golden(tmp_path, request.param.name.removeprefix("behaviour-"))


class Golden(CommandLine):
    """A command line in a folder whose journal an earlier version of behaviour wrote."""

    def __init__(self, folder: Path, version: str) -> None:
        super().__init__(folder)
        self.version = version

    @property
    def says(self) -> tuple[str, ...]:
        """Return what a start on the journal says."""
        return ("behaviour has changed", f"version {self.version}", *SAYS)


SAYS = (f"of {BEHAVIOUR_VERSION}", "journal verify", "db rebuild")
RUN = ("run", "run.toml", "--json", "--set", "journal.path=run.journal", "--set", "log.level=error")


@pytest.mark.parametrize("cut", [0, 1], ids=["whole", "torn"])
def test_a_start_on_an_earlier_journal_says_what_to_do_and_changes_nothing(shell, cut):
    """It is a matter of configuration (78), not a broken promise (70); a torn tail stays where it is too."""
    journal = shell.folder / "run.journal"
    journal.write_bytes(journal.read_bytes()[: -cut or None])
    before = journal.read_bytes()
    shell.refused(*RUN, code=ExitCode.CONFIG, says=[*shell.says, "--new-journal", "--carry-over"])

    assert journal.read_bytes() == before
    assert sorted(path.name for path in shell.folder.glob("run.journal*")) == ["run.journal"]


def test_a_start_with_a_new_journal_keeps_the_earlier_one(shell):
    """What the message says works: the old journal is kept whole, the new one goes on by itself."""
    before = (shell.folder / "run.journal").read_bytes()
    shell.run(*RUN, "--new-journal")

    (kept,) = shell.folder.glob("run.journal.2*")
    assert kept.read_bytes() == before
    shell.run("journal", "replay", "run.journal")
    shell.run(*RUN)


def test_commands_that_make_orders_again_say_so_and_those_that_read_work(shell):
    """`replay` is refused in words; `verify`, `tail`, `export`, `db rebuild` and `backtest` work."""
    shell.refused(
        "journal", "replay", "run.journal", code=ExitCode.CONFIG, says=[*shell.says, "To replay it"]
    )
    shell.run("journal", "verify", "run.journal")
    shell.run("journal", "tail", "run.journal")
    shell.run("journal", "export", "run.journal")
    info, _ = shell.run("db", "rebuild", "--json", "--journal", "run.journal", "read.sqlite")
    figures, talk = shell.run("backtest", "run.toml", "--json", "--set", "data.path=run.journal")

    assert json.loads(info)["rows"]["sessions"] == 1
    assert json.loads(figures)["events"] > 0
    assert "behaviour has changed" in talk
    assert "market events" in talk


def test_a_backtest_over_a_journal_of_this_behaviour_has_nothing_to_remark(shell):
    """The remark is about earlier journals alone."""
    shell.run(*RUN, "--new-journal")
    _, talk = shell.run("backtest", "run.toml", "--json", "--set", "data.path=run.journal")

    assert talk == ""


@pytest.mark.parametrize("name", RUNS)
def test_the_orders_are_those_of_the_last_version_that_changed_them(name, tmp_path):
    """What is sent has records of its own and no part in the digest of orders."""
    path = tmp_path / "now.journal"
    engine = asyncio.run(write(path, *RUNS[name], "test"))
    said = json.loads((GOLDEN / f"behaviour-{ORDERS_OF}" / "engine.json").read_text())[name]

    assert engine.orders_digest() == said["orders_digest"]
    sent = [fields for _, _, kind, fields in JournalFolder(path).reader() if kind == "sent"]
    assert len(sent) >= len([fields for fields in sent if fields["request"] == "new"]) > 0


def test_the_journals_of_version_3_have_orders_of_every_kind():
    """Trails in percent, icebergs, every time in force and what the grid refuses among them."""
    orders, refused = [], set()
    for path in GOLDEN.glob("behaviour-3/plain_*.journal"):
        for _, _, kind, fields in JournalFolder(path).reader():
            orders += [fields] if kind == "order" else []
            refused |= {fields["rule"]} if kind == "refused" else set()
    kinds = {"market", "limit", "iceberg", "market_to_limit", "stop", "stop_limit", "trailing_stop"}
    kinds |= {"trailing_stop_limit", "market_if_touched", "limit_if_touched"}
    assert {fields["order_kind"] for fields in orders} == kinds
    assert {fields["time_in_force"] for fields in orders} == {"gtc", "ioc", "fok", "gtd", "day"}
    assert refused >= {"off_tick", "off_lot", "not_a_number", "quantity_max", "invalid_order"}
    for name in ("trail_ppm", "stop_loss_ppm", "take_profit_ppm", "stop_loss_ticks", "closes"):
        assert any(name in fields for fields in orders), name
    assert any(fields["post_only"] for fields in orders)
    assert any(fields["reduce_only"] for fields in orders)


def test_a_session_names_the_version_of_behaviour(tmp_path):
    """Its first record does, so that any later program knows."""
    asyncio.run(write(tmp_path / "now.journal", *RUNS["book"], "test"))
    _, _, kind, fields = next(iter(JournalFolder(tmp_path / "now.journal").reader()))

    assert kind == "session"
    assert json.loads(fields["config"])["behaviour"] == BEHAVIOUR_VERSION


def test_a_journal_of_a_later_behaviour_is_refused_as_well(shell):
    """An older program must not trade on what it would decide otherwise."""
    (shell.folder / "run.journal").unlink()
    shell.run(*RUN)
    mark = b'"behaviour":' + str(BEHAVIOUR_VERSION).encode()
    _, _, _, fields = next(iter(JournalFolder(shell.folder / "run.journal").reader()))
    later = fields["config"].encode().replace(mark, b'"behaviour":99')
    write_journal(shell.folder / "later.journal", encode_session(1, "9", later))

    argv = [part.replace("run.journal", "later.journal") for part in RUN]
    shell.refused(*argv, code=ExitCode.CONFIG, says=["version 99", "--new-journal"])


def write_journal(path, frames):
    """Write a journal of these frames."""
    journal = JournalFolder(path).writer(0)
    journal.append(frames)
    journal.close()


@pytest.mark.parametrize("name", RUNS)
def test_what_the_documents_say_of_fields_is_what_records_have(name, tmp_path):
    """No record has a value that its kind does not list, in earlier journals as in those of today."""
    asyncio.run(write(tmp_path / "now.journal", *RUNS[name], "test"))
    listed = {kind.name: set(kind.fields) for kind in record_kinds()}
    for path in (*JOURNALS, tmp_path / "now.journal"):
        for _, _, kind, fields in JournalFolder(path).reader():
            assert set(fields) <= listed[kind], kind


class BuysOnce:
    """Buys at the first quote."""

    def on_quote(self, ctx, quote):
        """Buy one."""
        if not ctx.position_lots():
            ctx.buy(quantity_lots=1)


def frames_of_today():
    """Return frames of a fee in a currency of its own, and of what is younger than the journals.

    That is some commands, and of a trade that is told anew what had filled of its order with it.
    """
    spec = EngineSpec(
        instruments=(InstrumentSpec(symbol="GOLD", tick_size="1"),),
        account=AccountSpec(cash={"USD": "1000", "TOKEN": "5"}, conversions={"TOKEN": "10"}),
        fees=FeesSpec(taker_bps="10", currency="TOKEN"),
        venue=VenueSpec(matching=Matching.QUOTES),
    )
    engine = Engine(spec, [StrategyBinding(name="buys", strategy=BuysOnce())], recording=True)
    batch = EventBatch()
    for time_ns in (1, 2):
        batch.quote(time_ns, 0, 99, 10, 101, 10)
    batch.command(3, "cancel", order_id=1)
    batch.command(3, "flatten", within_bps=20, then_market_ns=5)
    batch.command(3, "safety_pause", safety=("clock_jump", -3, 2))
    engine.feed(batch)
    engine.run()
    live = live_engine(BuysAndSells())
    batch = EventBatch()
    batch.quote(1, 0, 99, 10, 101, 10)
    batch.venue_report(2, 0, 1, "busted", trade_id="T1", revision=1, filled_lots=1)
    live.feed(batch)
    live.run()
    return engine.take_frames() + live.take_frames()


def test_no_kind_lists_a_field_that_no_record_has():
    """The other way round, over all golden journals; hashes of states have a golden file of their own."""
    seen = {}
    for path in (*JOURNALS, Path(__file__).parent / "format-1.journal"):
        for _, _, kind, fields in JournalFolder(path).reader():
            seen.setdefault(kind, set()).update(fields)
    # No journal so old has a fee in a currency of its own, an order that an operator ended, a flatten by
    # limit, a pause for safety, or what had filled with a trade that was told anew.
    for kind, _, fields in decode_frames(frames_of_today()):
        seen.get(kind, set()).update(fields)
    missing = {kind.name: set(kind.fields) - seen[kind.name] for kind in record_kinds() if kind.name in seen}

    assert {name: fields for name, fields in missing.items() if fields} == NOT_OF_LIVE


def test_an_inspection_shows_when_a_journal_of_the_first_version_began(tmp_path):
    """Its first mark has no time: the data begin with the first record that has one, not in 1970."""
    path = GOLDEN / "behaviour-1" / "run.journal"
    shown = CommandLine(tmp_path).run("data", "inspect", str(path))[0]
    assert "first_time  2026-01-01 00:00:00" in shown
