"""The auditor reads a journal as its writer does, by code of its own, and finds every changed byte."""

import contextlib
import os
import random
import shutil
import subprocess
import sys

import pytest

from support.audited import GOLDEN, records, report_of
from tradecore.domain.journal import JournalFolder, Segments, encode_session_end
from tradecore_audit import records as r
from tradecore_audit import walk as walks
from tradecore_audit.errors import DamagedError, UnreadableError
from tradecore_audit.frames import records_of
from tradecore_audit.walk import Walk

ALL = sorted(GOLDEN.parent.glob("behaviour-*/*.journal"))
SEGMENTS = GOLDEN.parents[1] / "format-2" / "a.journal"


def ids(path):
    """Name a journal by its version and its name."""
    return f"{path.parent.name}-{path.stem}"


def head_of(path):
    """Walk a journal to its end; return its head and how many records it has."""
    walk = Walk(path)
    try:
        while walk.batch():
            pass
    finally:
        walk.close()
    return walk.head.hex(), walk.seq


def test_what_is_read_at_a_time_ends_where_a_head_is_stated(tmp_path, monkeypatch):
    """A chunk of packed blocks states the head after its last one alone."""
    folder = JournalFolder(tmp_path / "a.journal")
    writer = folder.writer(0, Segments(bytes_max=20_000))
    for number in range(300):
        writer.append(encode_session_end(number, "x"))
        writer.commit(False)
    writer.close()
    assert folder.pack().segments > 0
    monkeypatch.setattr(walks, "BATCH_BYTES", 1)
    assert head_of(tmp_path / "a.journal") == (folder.verify().head, 300)


@pytest.mark.parametrize("path", [*ALL, SEGMENTS], ids=ids)
def test_every_journal_has_the_head_that_its_writer_says(path):
    """Plain, packed and archived segments, of every version of behaviour."""
    verdict = JournalFolder(path).verify()
    assert head_of(path) == (verdict.head, verdict.records)


def plain(taken):
    """Return what the auditor reads of a record, by the names that the journal's own reader gives."""
    body = taken.body
    match body:
        case r.Report():
            return {"report": body.report, **numbers(body.traded, body)}
        case r.VenueReport():
            names = {"venue_order_id": body.venue_order_id or None, "trade_id": body.trade_id or None}
            return {"report": body.said.report, **numbers(body.said.traded, body.said), **names}
        case r.Order() | r.Refused():
            terms = body.terms if isinstance(body, r.Refused) else body
            return {
                "order_id": terms.order_id,
                "strategy": terms.strategy,
                "instrument": terms.instrument,
                "side": "buy" if terms.is_buy else "sell",
                "lots": terms.lots,
                "buying_power_ppm": terms.buying_power_ppm,
                "reduce_only": terms.reduce_only,
                "closes": terms.closes,
                "decided_ns": terms.decided_ns,
            }
        case r.Sent():
            return {"order_id": body.order_id, "request": body.request, "lots": body.lots}
        case r.CashFlow():
            return {"cash_flow": body.flow, "amount": body.amount, "instrument": body.instrument}
        case r.Link():
            return {"order_id": body.order_id, "after": body.after, "oco": body.oco}
        case r.Revision():
            was = {f"was_{name}": value for name, value in numbers(body.was, None).items()}
            return {"trade_id": body.trade_id, "revision": body.revision, **numbers(body.now, None), **was}
        case r.ReplaceRequest() | r.Mark() | r.Funding() | r.Sized() | r.OutcomeLost() | r.Reconciled():
            return {name: getattr(body, name) for name in body.__struct_fields__}
        case _:
            return {}


def numbers(traded, report):
    """Return the numbers of a trade, or of a report without one."""
    found = {} if report is None else {"order_id": report.order_id}
    if traded is None:
        return found
    liquidity = "maker" if traded.is_maker else "taker"
    names = ("price_ticks", "lots", "fee", "fee_currency")
    return found | {"liquidity": liquidity} | {name: getattr(traded, name) for name in names}


@pytest.mark.parametrize("path", ALL, ids=ids)
def test_every_record_says_what_the_journals_own_reader_reads(path):
    """No value of it is read otherwise, and none is passed over but market data and what nobody counts."""
    theirs = {seq: (time_ns, kind, fields) for seq, time_ns, kind, fields in JournalFolder(path).reader()}
    found = records(path)
    assert found
    for taken in found:
        time_ns, _, fields = theirs.pop(taken.seq)
        assert time_ns == taken.time_ns
        for name, value in plain(taken).items():
            assert fields.get(name) == value, (taken, name)
    left_out = {kind for _, kind, _ in theirs.values()}
    market = {"bar", "quote", "trade", "book", "checked_book", "flow", "feed", "clock"}
    assert left_out <= market | {"decision", "margin", "state_hash"}


def test_no_changed_byte_goes_unseen(tmp_path):
    """Each byte in turn, changed: the audit says that the journal is damaged, or the record that differs."""
    data = (GOLDEN.parents[1] / "format-1.journal").read_bytes()
    path = tmp_path / "a.journal"
    for at in range(len(data)):
        path.write_bytes(data[:at] + bytes([data[at] ^ 0x41]) + data[at + 1 :])
        with pytest.raises((DamagedError, UnreadableError)):
            head_of(path)


@pytest.mark.parametrize("change", ["swap", "drop", "double"])
def test_a_block_in_the_wrong_place_is_found(tmp_path, change):
    """Two that are exchanged, one that is missing, one that is there twice."""
    path = GOLDEN / "live.journal"
    data, blocks, at = path.read_bytes(), [], 32
    while at < len(data):
        size = 32 + -(-int.from_bytes(data[at + 4 : at + 8], "little") // 32) * 32 + 32
        blocks.append(data[at : at + size])
        at += size
    made = {
        "swap": [blocks[0], blocks[2], blocks[1], *blocks[3:]],
        "drop": [blocks[0], *blocks[2:]],
        "double": [*blocks[:2], *blocks[1:]],
    }[change]
    copy = tmp_path / "a.journal"
    copy.write_bytes(data[:32] + b"".join(made))
    (finding,) = report_of(copy).findings
    assert finding.rule == "journal"


def test_a_missing_segment_and_one_of_another_journal_are_found(tmp_path):
    """Each segment joins the one before it."""
    for path in SEGMENTS.parent.iterdir():
        shutil.copy(path, tmp_path / path.name)
    (tmp_path / "a.journal.000004").rename(tmp_path / "away")
    with pytest.raises(DamagedError, match="segment 4"):
        head_of(tmp_path / "a.journal")
    shutil.copy(tmp_path / "a.journal.000005", tmp_path / "a.journal.000004")
    with pytest.raises(DamagedError, match="header of the segment"):
        head_of(tmp_path / "a.journal")


def test_a_torn_end_is_no_damage(tmp_path):
    """What a crash left of the last block is passed over, and said."""
    data = (GOLDEN / "live.journal").read_bytes()
    path = tmp_path / "a.journal"
    path.write_bytes(data[:-40])
    report = report_of(path)
    assert (report.is_torn, report.differences) == (True, 0)
    assert 900 < report.records < 990


def test_a_journal_that_grows_is_read_on_through_rotations(tmp_path):
    """What was read before and after makes the same whole as one reading at the end."""
    path = tmp_path / "a.journal"
    source = sorted(SEGMENTS.parent.glob("a.journal*"))
    for each in source:
        shutil.copy(each, tmp_path / each.name)
    walk, found = Walk(path), []
    data = (SEGMENTS.parent / "a.journal").read_bytes()
    for size in range(32, len(data) + 1, 97):
        path.write_bytes(data[:size] if size >= 128 else data[:128])
        found += walk.batch()
    path.write_bytes(data)
    found += walk.batch()
    walk.close()
    assert (walk.head.hex(), walk.seq) == head_of(SEGMENTS)
    assert sum(len(block.frames) for block in found) == walk.seq - walk.dropped


def test_the_auditor_runs_without_anything_of_tradecore():
    """Its process has no module of the engine's, native or not: it cannot share a fault with them."""
    code = (
        "import sys; from tradecore_audit.__main__ import main\n"
        f"code = main([{str(GOLDEN / 'live.journal')!r}])\n"
        "shared = [name for name in sys.modules if name.split('.')[0].startswith('tradecore')"
        " and name.split('.')[0] != 'tradecore_audit']\n"
        "print(code, shared, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=40)
    assert done.stderr.strip() == "0 []"


def test_any_bytes_are_records_or_damage():
    """No frame ends an audit otherwise: known kinds with other bytes behind them, cut off, or longer."""
    chance = random.Random(9)
    frames = []
    for path in ALL[-8:]:
        walk = Walk(path, has_hashes=False)
        frames += [frame for block in walk.batch() for frame in block.frames]
        walk.close()
    for _ in range(4_000):
        frame = bytearray(chance.choice(frames))
        for _ in range(chance.randint(1, 4)):
            frame[chance.randrange(4, len(frame))] = chance.randrange(256)
        cut = chance.choice([0, 0, 1, 9])
        data = bytes(frame[: max(len(frame) - cut, 13)]) + bytes(chance.choice([0, 0, 3]))
        with contextlib.suppress(DamagedError):
            records_of(0, [data])


SHORT = {"text": b"a note of something else\n", "zeros": bytes(64), "changed": b"TCJOURN\n" + bytes(24)}


@pytest.mark.parametrize("content", SHORT.values(), ids=SHORT)
def test_a_short_file_that_is_no_journal_is_none(tmp_path, content):
    """It is shorter than a header, and no crash leaves such bytes."""
    (tmp_path / "a.journal").write_bytes(content)
    with pytest.raises(DamagedError, match="is no journal"):
        head_of(tmp_path / "a.journal")


@pytest.mark.parametrize("size", [0, 1, 8, 31, 32, 33, 127])
def test_a_header_that_is_not_whole_yet_is_no_damage(tmp_path, size):
    """Its writer was ended as it began, or is at it just now."""
    (tmp_path / "a.journal").write_bytes((SEGMENTS.parent / "a.journal").read_bytes()[:size])
    assert head_of(tmp_path / "a.journal") == (bytes(32).hex(), 0)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with a name on this system")
@pytest.mark.parametrize("name", ["a.journal", "a.journal.000001", "a.journal.000002.packed"])
def test_a_pipe_in_the_place_of_a_file_is_not_waited_for(tmp_path, name):
    """Nobody would ever write into it."""
    for path in SEGMENTS.parent.glob("a.journal*"):
        if path.name != name:
            shutil.copy(path, tmp_path)
    os.mkfifo(tmp_path / name)
    with pytest.raises(UnreadableError, match="pipe"):
        head_of(tmp_path / "a.journal")
