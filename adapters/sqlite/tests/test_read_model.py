"""The SQLite read model: a projection of the journal that may be applied again at any time."""

import asyncio
import sqlite3
from contextlib import asynccontextmanager
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from support import records
from support.sessions import open_session
from support.tables import rebuilt
from tradecore.domain import StorageError
from tradecore.domain.record import JournalPosition
from tradecore_sqlite import SqliteReadModel
from tradecore_sqlite import read_model as read_model_of_a_file
from tradecore_sqlite import schema as tables


def record(seq, kind, **fields):
    """Make a record at a time that follows from its number."""
    return records.record(kind, seq, 1_000 + seq, **fields)


def order(seq, order_id, side="buy", lots=10):
    """Make the record of a limit order."""
    return record(
        seq,
        "order",
        order_id=order_id,
        strategy=0,
        instrument=1,
        side=side,
        order_kind="limit",
        price_ticks=100,
        lots=lots,
        time_in_force="gtc",
    )


def fill(seq, order_id, lots):
    """Make the record of a fill."""
    return record(
        seq,
        "report",
        report="fill",
        order_id=order_id,
        venue_time_ns=seq,
        price_ticks=100,
        lots=lots,
        liquidity="maker",
        fee=-(10**20),
    )


SESSION = [
    record(0, "session", engine_version="1", config="{}"),
    order(2, 1),
    record(3, "report", report="accepted", order_id=1, venue_time_ns=3),
    record(4, "report", report="restated", order_id=1, venue_time_ns=4, price_ticks=99, lots=10),
    fill(5, 1, 4),
    fill(6, 1, 6),
    order(7, 2, side="sell", lots=3),
    fill(8, 2, 1),
    record(9, "report", report="canceled", order_id=2, venue_time_ns=9, reason="requested"),
    record(10, "refused", order_id=3, strategy=0, instrument=1, rule="quantity_max", limit=5, value=2**90),
    record(
        11,
        "decision",
        strategy=0,
        instrument=1,
        action=1,
        reason="cross",
        gates=[{"name": "x", "limit": 1.0, "value": 2.0, "passed": True}],
    ),
    record(12, "command", command="pause"),
    record(13, "session_end", reason="stopped"),
]


def after(next_seq):
    """Make the position after so many frames of one journal."""
    return JournalPosition(next_seq, f"head {next_seq}")


def dump(path):
    """Return every row of every table."""
    with sqlite3.connect(path) as connection:
        return {
            name: connection.execute(f"SELECT * FROM {name}").fetchall()
            for name in (*tables.NAMES, "positions", "meta", "journal")
        }


def numbers(path):
    """Return every row of every table, without the text that says what its numbers mean."""
    own = {name: [*columns, "fee_currency", "account"] for name, columns in tables.READABLE.items()}
    kept = {}
    with sqlite3.connect(path) as connection:
        for name, rows in dump(path).items():
            columns = [row[1] for row in connection.execute(f"PRAGMA table_info({name})")]
            places = [at for at, column in enumerate(columns) if column not in own.get(name, ())]
            kept[name] = [tuple(row[at] for at in places) for row in rows]
    return kept


async def project(path, groups):
    """Apply groups of records where the tables are, the database opened anew for each."""
    for group in groups:
        read_model = await SqliteReadModel.open(str(path))
        before = await read_model.position()
        assert await read_model.apply(group, before, after(group[-1].seq + 1))
        await read_model.aclose()


async def test_records_become_orders_fills_and_positions(tmp_path):
    """Orders carry their state, positions are the sum of fills, money keeps every digit."""
    path = tmp_path / "deep" / "readmodel.sqlite"
    await project(path, [SESSION])
    read_model = await SqliteReadModel.open(str(path))
    info = await read_model.state()
    await read_model.aclose()
    await read_model.aclose()

    rows = dump(path)
    assert [(row[0], row[10], row[11]) for row in rows["orders"]] == [(1, "filled", 10), (2, "canceled", 1)]
    assert rows["orders"][0][7:9] == (99, 10), "as the venue restated it"
    assert (rows["fills"][0][10], rows["fills"][0][-3:]) == (str(-(10**20)), ("-100", None, None))
    assert rows["refusals"][0][7] == str(2**90)
    assert [row[:4] for row in rows["positions"]] == [(0, 1, 9, 3)]
    assert (info.position.next_seq, info.integrity, info.storage["synchronous"]) == (14, "ok", "extra")
    counts = {"sessions": 1, "orders": 2, "fills": 3, "refusals": 1, "decisions": 1, "commands": 1}
    assert info.rows == dict.fromkeys(tables.NAMES, 0) | counts


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cuts=st.lists(st.integers(0, len(SESSION)), max_size=4))
async def test_any_cut_and_any_repetition_gives_the_same_tables(tmp_path_factory, cuts):
    """Applied at once, in groups, or each twice: the tables are equal."""
    directory = tmp_path_factory.mktemp("cuts")
    bounds = [0, *sorted(cuts), len(SESSION)]
    groups = [group for start, end in pairwise(bounds) if (group := SESSION[start:end])]
    await project(directory / "once.sqlite", [SESSION])
    model = await SqliteReadModel.open(str(directory / "groups.sqlite"))
    for group in groups:
        before, behind = await model.position(), after(group[-1].seq + 1)
        assert await model.apply(group, before, behind)
        assert not await model.apply(group, before, behind), "it is there already"
    await model.aclose()

    assert dump(directory / "groups.sqlite") == dump(directory / "once.sqlite")


SET_LIMIT = {
    "command": "set_limit",
    "scope": "strategy",
    "scope_id": 1,
    "limit": "gross_max",
    "value": "0.5",
    "person": "Ada",
}
FORBID = {"command": "forbid", "scope": "strategy", "scope_id": 1, "instrument": 2, "person": "Ada"}


async def test_commands_keep_what_they_said_and_who_said_it(tmp_path):
    """Scope, limit, value, instrument and person are columns; what a command does not say is empty."""
    path = tmp_path / "readmodel.sqlite"
    off = {**SET_LIMIT, "value": None}
    told = [record(seq, "command", **fields) for seq, fields in enumerate((SET_LIMIT, off, FORBID))]
    await project(path, [[*told, record(3, "command", command="pause")]])

    assert [row[2:] for row in dump(path)["commands"]] == [
        ("set_limit", "strategy", 1, "gross_max", "0.5", None, "Ada"),
        ("set_limit", "strategy", 1, "gross_max", None, None, "Ada"),
        ("forbid", "strategy", 1, None, None, 2, "Ada"),
        ("pause", None, None, None, None, None, None),
    ]


def undo_version_9(connection, version):
    """Take away what came with version 9, for an older one."""
    if version == 9:
        return
    for name in ("into_currency", "received_atto", "rate_atto", "fee_atto", "fee_currency"):
        connection.execute(f"ALTER TABLE account_events DROP COLUMN {name}")
    connection.execute("ALTER TABLE opening_lots DROP COLUMN cost_atto")


def undo_version_10(connection):
    """Take away what came with version 10."""
    connection.execute("DROP VIEW positions")
    connection.execute("DROP TABLE account_equity")
    for name in tables.WITH_ACCOUNT:
        connection.execute(f"ALTER TABLE {name} DROP COLUMN account")
    connection.executescript(tables._VIEWS)


def undo_version_11(connection):
    """Take away what came with version 11: the view of positions is that of before."""
    connection.execute("DROP VIEW positions")
    connection.execute("DROP TABLE revisions")
    connection.executescript(tables._POSITIONS_OF_ACCOUNTS.removeprefix("\nDROP VIEW positions;"))


def undo_newest(connection, version):
    """Take away what came with version 12, and before that with 11, 10 and 9."""
    connection.execute("DROP VIEW tickets")
    if version < 11:
        undo_version_11(connection)
    if version < 10:
        undo_version_10(connection)
        undo_version_9(connection, version)


def make_version(path, version):
    """Make the tables of a file those of version 1, 2, 4, 5, 6, or 8 to 11."""
    with sqlite3.connect(path) as connection:
        undo_newest(connection, version)
        connection.execute(f"PRAGMA user_version = {version}")
        if version in {8, 9, 10, 11}:
            return
        connection.execute("DROP VIEW equity_by_day")
        connection.execute("DROP TABLE equity")
        connection.execute("DROP INDEX open_orders")
        connection.execute("ALTER TABLE fills DROP COLUMN fee_currency")
        if version == 6:
            return
        # The view of positions reads tables that came with version 6.
        connection.execute("DROP VIEW positions")
        for name in ("account_events", "opening_lots"):
            connection.execute(f"DROP TABLE {name}")
        for table, columns in tables.READABLE.items():
            for column in columns:
                connection.execute(f"ALTER TABLE {table} DROP COLUMN {column}")
        if version == 5:
            return
        connection.execute("ALTER TABLE orders DROP COLUMN sent_ns")
        if version == 4:
            return
        connection.execute("DROP TABLE journal")
        connection.execute("DROP TABLE source")
        for name in ("requests", "cash_flows", "liquidations", "margin_changes"):
            connection.execute(f"DROP TABLE {name}")
        for name in ("after_order_id", "oco_order_id"):
            connection.execute(f"ALTER TABLE orders DROP COLUMN {name}")
        if version == 2:
            return
        for name in ("scope", "scope_id", "limit_name", "value", "instrument", "person"):
            connection.execute(f"ALTER TABLE commands DROP COLUMN {name}")


@pytest.mark.parametrize("version", [0, 1, 2, 4, 5, 6, 8, 9, 10, 11])
async def test_a_file_that_two_open_at_once_is_brought_up_to_date_once(tmp_path, version, monkeypatch):
    """Whoever comes second, after both saw the old version, finds the work done and goes on."""
    path = tmp_path / "readmodel.sqlite"
    if version:
        await project(path, [SESSION])
        make_version(path, version)
    both_saw = asyncio.Barrier(2)
    begin = read_model_of_a_file._transaction

    @asynccontextmanager
    async def after_both(connection):
        await both_saw.wait()
        async with begin(connection):
            yield

    monkeypatch.setattr(read_model_of_a_file, "_transaction", after_both)
    opened = await asyncio.gather(*(SqliteReadModel.open(str(path)) for _ in range(2)))
    monkeypatch.undo()
    for model in opened:
        before = await model.position()
        whole = [*SESSION, record(14, "command", **SET_LIMIT)]
        new = [one for one in whole if one.seq >= before.next_seq]
        await model.apply(new, before, after(15))
        await model.aclose()

    await project(tmp_path / "new.sqlite", [[*SESSION, record(14, "command", **SET_LIMIT)]])
    assert numbers(path) == numbers(tmp_path / "new.sqlite")
    with sqlite3.connect(path) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (tables.VERSION,)


async def test_a_file_of_the_first_version_goes_on_and_a_rebuild_fills_it(tmp_path):
    """Its rows stay, new commands are kept whole, and the journal projected again gives the rest."""
    path = tmp_path / "readmodel.sqlite"
    await project(path, [SESSION])
    make_version(path, 1)
    whole = record(14, "command", **SET_LIMIT)
    await project(path, [[whole]])

    await project(tmp_path / "new.sqlite", [[*SESSION, whole]])
    assert numbers(path) == numbers(tmp_path / "new.sqlite")
    with sqlite3.connect(path) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (tables.VERSION,)


@pytest.mark.parametrize("version", [5, 6, 9])
async def test_a_file_of_a_version_before_is_filled_anew_by_the_next_start(tmp_path, version):
    """What numbers mean, or the equity, was not kept: a projector finds tables of no journal."""
    await open_session(tmp_path / "journal").run()
    path = tmp_path / "readmodel.sqlite"
    whole = await asyncio.to_thread(rebuilt, tmp_path / "journal", path)
    make_version(path, version)
    read_model = await SqliteReadModel.open(str(path))
    assert (await read_model.position()).first == ""
    await read_model.aclose()

    assert whole["fills"]
    assert await asyncio.to_thread(rebuilt, tmp_path / "journal", path) == whole


async def test_clearing_allows_a_rebuild(tmp_path):
    """After `clear` the journal can be projected from its start again, with the same outcome."""
    path = tmp_path / "readmodel.sqlite"
    await project(path, [SESSION])
    before = dump(path)
    read_model = await SqliteReadModel.open(str(path))
    await read_model.clear()
    assert await read_model.position() == JournalPosition()
    await read_model.aclose()
    await project(path, [SESSION])

    assert dump(path) == before


async def test_a_group_that_cannot_be_applied_leaves_the_tables_as_they_were(tmp_path):
    """Rows and position in the journal move together or not at all."""
    path = tmp_path / "readmodel.sqlite"
    await project(path, [SESSION[:5]])
    before = dump(path)
    broken = record(20, "order", order_id=9, side=["no text"])

    read_model = await SqliteReadModel.open(str(path))
    with pytest.raises(StorageError):
        await read_model.apply([SESSION[5], broken], await read_model.position(), after(21))
    await read_model.aclose()
    assert dump(path) == before


async def test_the_write_ahead_log_is_used_only_with_a_safe_sqlite(tmp_path):
    """SQLite before 3.51.3 can corrupt a database that two connections use in WAL mode."""
    path = tmp_path / "readmodel.sqlite"
    read_model = await SqliteReadModel.open(str(path))
    info = await read_model.state()
    await read_model.aclose()
    assert info.storage["journal_mode"] == ("wal" if sqlite3.sqlite_version_info >= (3, 51, 3) else "delete")


async def test_unusable_files_are_named(tmp_path):
    """Garbage, a newer version and a directory are one clear error each."""
    garbage = tmp_path / "garbage.sqlite"
    garbage.write_bytes(b"not a database" * 100)
    newer = tmp_path / "newer.sqlite"
    with sqlite3.connect(newer) as connection:
        connection.execute("PRAGMA user_version = 99")

    for path, words in ((garbage, "rebuild"), (newer, "version 99"), (tmp_path, "cannot be opened")):
        with pytest.raises(StorageError, match=words):
            await SqliteReadModel.open(str(path))


@pytest.mark.parametrize("turns", range(12))
async def test_a_cancelled_group_does_not_block_the_next_one(tmp_path, turns):
    """Wherever a cancellation meets a group, the next one is applied whole."""
    model = await SqliteReadModel.open(str(tmp_path / "read.sqlite"))
    try:
        cut = asyncio.create_task(model.apply([order(0, 1)], JournalPosition(), after(1)))
        for _ in range(turns):
            await asyncio.sleep(0)
        cut.cancel()
        await asyncio.gather(cut, return_exceptions=True)

        # The cut one is in the tables or is not, never in half.
        before = await model.position()
        assert await model.apply([order(0, 1), order(1, 2)][before.next_seq :], before, after(2))

        info = await model.state()
        assert (info.position.next_seq, info.rows["orders"]) == (2, 2)
    finally:
        await model.aclose()


async def test_a_commit_that_a_reader_keeps_from_its_end_can_be_tried_again(tmp_path):
    """Whoever reads the file holds the last step of a group up; what failed leaves nothing open."""
    path = tmp_path / "read.sqlite"
    model = await SqliteReadModel.open(str(path), busy_seconds_max=0.05)
    reader = sqlite3.connect(path, isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT * FROM orders").fetchall()
    try:
        if (await model.state()).storage["journal_mode"] == "delete":
            with pytest.raises(StorageError, match="another program holds it") as held:
                await model.apply([order(0, 1)], JournalPosition(), after(1))
            assert held.value.retry_after_ns
        reader.execute("ROLLBACK")
        await model.apply([order(0, 1)], await model.position(), after(1))
        assert (await model.state()).rows["orders"] == 1
    finally:
        reader.close()
        await model.aclose()


async def test_what_keeps_us_from_the_file_is_what_the_message_blames(tmp_path):
    """A lock asks for patience and not for another file; so does a file that is gone, which is made anew."""
    path = tmp_path / "read.sqlite"
    await project(path, [SESSION[:5]])
    model = await SqliteReadModel.open(str(path))
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    with pytest.raises(StorageError, match="wait until it is done") as held:
        await SqliteReadModel.open(str(path), busy_seconds_max=0.05)
    holder.close()
    assert held.value.retry_after_ns
    assert "remove it" not in str(held.value)

    path.unlink()
    with pytest.raises(StorageError, match="removed or replaced") as gone:
        await model.apply([SESSION[5]], after(6), after(7))
    await model.aclose()
    assert gone.value.retry_after_ns


async def test_a_copy_that_is_put_in_its_place_is_never_mixed_with_what_is_in_memory(tmp_path):
    """Both files have had as many transactions, so that SQLite takes them for the same."""
    ours, other = tmp_path / "ours.sqlite", tmp_path / "other.sqlite"
    elsewhere = JournalPosition(7, "head of another journal")
    model = await SqliteReadModel.open(str(other))
    await model.apply([record(0, "session", engine_version="2", config="{}")], JournalPosition(), after(3))
    await model.apply([order(4, 9), fill(5, 9, 1)], after(3), elsewhere)
    await model.aclose()
    model = await SqliteReadModel.open(str(ours))
    await model.apply(SESSION[:3], JournalPosition(), after(4))
    await model.apply(SESSION[3:6], after(4), after(7))
    ours.write_bytes(other.read_bytes())
    was_taken = await model.apply([SESSION[6]], after(7), after(8))
    await model.aclose()

    assert not was_taken
    assert dump(ours) == dump(other)


async def test_rows_that_the_tables_have_not_come_to_are_of_no_journal(tmp_path):
    """Whoever projects again finds that and begins anew; the information says it too."""
    path = tmp_path / "readmodel.sqlite"
    await project(path, [SESSION])
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE meta SET value = 3")
    model = await SqliteReadModel.open(str(path))
    position, info = await model.position(), await model.state()
    await model.aclose()

    assert position.first == "mixed"
    assert "from record 3 on" in info.integrity


async def test_a_damaged_file_of_ours_is_kept_and_made_new(tmp_path):
    """One that is surely a read model; anything else is left as it is."""
    path = tmp_path / "readmodel.sqlite"
    await project(path, [SESSION])
    content = path.read_bytes()
    path.write_bytes(content[:100] + b"\xff" * (len(content) - 100))
    with pytest.raises(StorageError, match="damaged-1") as damaged:
        await SqliteReadModel.open(str(path))
    assert damaged.value.retry_after_ns
    await project(path, [SESSION])
    assert (tmp_path / "readmodel.sqlite.damaged-1").exists()

    foreign = tmp_path / "foreign.sqlite"
    foreign.write_bytes(content[:68] + b"else" + b"\xff" * 4096)
    with pytest.raises(StorageError) as refused:
        await SqliteReadModel.open(str(foreign))
    assert not refused.value.retry_after_ns
    assert foreign.exists()


async def test_a_directory_that_was_moved_away_is_not_made_again(tmp_path):
    """Whoever moved it may move it back, and would find another one in its place."""
    folder = tmp_path / "state"
    model = await SqliteReadModel.open(str(folder / "read.sqlite"))
    await model.apply([SESSION[0]], JournalPosition(), after(1))
    folder.rename(tmp_path / "moved")
    with pytest.raises(StorageError):
        await model.apply([SESSION[1]], after(1), after(3))
    await model.aclose()
    with pytest.raises(StorageError):
        await SqliteReadModel.open(str(folder / "read.sqlite"), makes_directory=False)
    assert not folder.exists()
    (tmp_path / "moved").rename(folder)
    model = await SqliteReadModel.open(str(folder / "read.sqlite"), makes_directory=False)
    assert await model.apply([SESSION[1]], after(1), after(3))
    await model.aclose()


async def test_a_connection_that_fails_after_nobody_waits_for_it_is_no_other_error():
    """Whoever was cancelled while it was made hears of that alone."""

    async def failing():
        await asyncio.sleep(0.01)
        raise sqlite3.OperationalError("unable to open database file")

    waiting = asyncio.create_task(read_model_of_a_file._uncut(failing()))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting


async def test_orders_are_asked_for_with_few_statements_however_many_there_are(tmp_path):
    """A connection keeps 128 that are prepared, of 60 KiB where they have 500 values: parts have any size."""
    model = await SqliteReadModel.open(str(tmp_path / "tables.db"))
    try:
        records_of_orders = [SESSION[0], *(order(seq, seq) for seq in range(1, 1_101))]
        await model.apply(records_of_orders, JournalPosition(), JournalPosition(1_101, "a", "b"))
        ask, asked = model._connection.execute_fetchall, []

        async def watched(query, values=()):
            asked.append(query)
            return await ask(query, values)

        model._connection.execute_fetchall = watched
        for many in (*range(70), 200, 511, 512, 513, 1_000, 1_100):
            wanted = list(range(3, 3 + many))
            found = await model._orders(wanted)
            assert sorted(row.order_id for row in found) == [each for each in wanted if each <= 1_100]
        assert len(set(asked)) == 10
    finally:
        await model.aclose()
