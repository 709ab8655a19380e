"""One engine: a paper session, its replay and a backtest of its events are the same, byte for byte."""

import gzip
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from support.shared import EXAMPLE_DATA, ROOT, shared_data
from tradecore.domain.journal import JournalFolder

CONFIG = ROOT / "examples" / "paper-binance-capture.toml"
# The slices of the three markets, the quotes that can be compared in them, and the fewest fills of the maker.
SLICES = {
    "spot": ("binance-spot.gz", 110, 150),
    "usdm": ("binance-usdm.gz", 27, 20),
    "coinm": ("binance-coinm.gz", 58, 10),
}
WHOLE = {
    "spot": ("public/hftbacktest_binance_spot/spot/btcusdt_20240808.gz", 564),
    "usdm": ("public/hftbacktest_binance_usdm/usdm/btcusdt_20240808.gz", 629),
    "coinm": ("public/hftbacktest_binance_cm/cm/btcusd_perp_20240808.gz", 1124),
}


def tradecore(state: Path, *arguments: str, hash_seed: str = "0") -> dict[str, object]:
    """Run a command of the command line and return its JSON."""
    environment = {**os.environ, "TRADECORE_STATE_DIR": str(state), "PYTHONHASHSEED": hash_seed}
    done = subprocess.run(
        [sys.executable, "-m", "tradecore_api", *arguments, "--json"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout)


def run_capture(state: Path, capture: Path) -> dict[str, object]:
    """Trade a capture on paper."""
    return tradecore(state, "run", str(CONFIG), "--set", f"feed.path={capture}")


@pytest.mark.parametrize("market", SLICES)
def test_a_real_capture_trades_on_a_book_that_equals_every_quote(tmp_path, market):
    """Best prices and sizes equal at every shared update id, no gap goes unseen, the maker gets fills."""
    name, compared, fills_min = SLICES[market]

    assert_a_maker_trades(run_capture(tmp_path, EXAMPLE_DATA / name), compared, fills_min)


@pytest.mark.timeout(180)
def test_the_whole_captures_trade_on_books_that_equal_every_quote(tmp_path):
    """The same over nearly six minutes of each market."""
    for market, (name, compared) in WHOLE.items():
        assert_a_maker_trades(run_capture(tmp_path / market, shared_data(name)), compared, 100)


def assert_a_maker_trades(summary, compared: int, fills_min: int) -> None:
    """Look at the summary and the journal of a run of the maker."""
    print(f"{summary['book']['compared']} quotes compared")
    assert summary["book"] == {"compared": compared, "mismatches": 0, "gaps": 0, "stale": 0, "resyncs": 0}
    assert summary["journal_verified"] is True
    records = list(JournalFolder(summary["journal"]).reader())
    fills = [fields for _, _, kind, fields in records if kind == "report" and fields["report"] == "fill"]
    assert len(fills) == summary["fills"] >= fills_min
    assert {fields["liquidity"] for fields in fills} == {"maker"}


KRAKEN_CONFIG = ROOT / "examples" / "paper-kraken-book.toml"
KRAKEN_CAPTURE = EXAMPLE_DATA / "kraken-book.json.gz"


def test_a_book_with_checksums_is_verified_live_in_backtest_and_in_replay(tmp_path):
    """All 510 checksums of the capture hold, and the three ways give the same orders and state."""
    path = f"feed.path={KRAKEN_CAPTURE}"
    ran = tradecore(tmp_path, "run", str(KRAKEN_CONFIG), "--set", path)
    tested = tradecore(tmp_path, "backtest", str(KRAKEN_CONFIG), "--set", path)
    replayed = tradecore(tmp_path, "journal", "replay", str(ran["journal"]))

    assert ran["book"] == {"compared": 510, "mismatches": 0, "gaps": 0, "stale": 0, "resyncs": 0}
    assert ran["book"] == tested["book"] == replayed["book"]
    assert ran["orders"] > 0
    assert ran["orders_digest"] == tested["orders_digest"] == replayed["orders_digest"]
    assert ran["state_hash"] == replayed["state_hash"]


def test_a_silence_longer_than_a_book_may_have_is_counted(tmp_path):
    """With an age of a tenth of a second the same capture has books that are too old to trade on."""
    path = f"feed.path={KRAKEN_CAPTURE}"
    age = "instruments.0.book_age_ns_max=100_000_000"
    aged = tradecore(tmp_path, "backtest", str(KRAKEN_CONFIG), "--set", path, "--set", age)

    book = aged["book"]
    # The last message ends a silence, if there was one before it.
    assert book["stale"] == book["resyncs"] > 10
    assert (book["compared"], book["mismatches"]) == (510, 0)


def test_replay_and_backtest_of_a_paper_journal_equal_the_session(tmp_path):
    """The journal replayed gives the state hash; its events fed to `backtest` give the same orders."""
    capture = EXAMPLE_DATA / SLICES["spot"][0]
    session = run_capture(tmp_path, capture)

    replayed = tradecore(tmp_path, "journal", "replay", str(session["journal"]))
    settings = (f"feed.path={capture}", f"data.path={session['journal']}")
    options = [part for setting in settings for part in ("--set", setting)]
    tested = tradecore(tmp_path, "backtest", str(CONFIG), *options)

    assert session["orders"] > 80
    for name in ("orders_digest", "state_hash", "orders", "fills", "pnl"):
        assert replayed[name] == session[name], name
        assert tested[name] == session[name], name


def test_the_same_seed_gives_the_same_bytes_whatever_the_hash_seed_and_the_load(tmp_path):
    """Two virtual demos give one journal head under another PYTHONHASHSEED and on a busy machine."""
    arguments = ("demo", "--virtual", "--seconds", "5", "--seed", "11")
    quiet = tradecore(tmp_path / "a", *arguments, hash_seed="1")
    spin = [sys.executable, "-c", "while True: pass"]
    busy = [subprocess.Popen(spin, stdin=subprocess.DEVNULL) for _ in range(3)]
    try:
        loaded = tradecore(tmp_path / "b", *arguments, hash_seed="12345")
    finally:
        for process in busy:
            process.kill()
            process.wait()
    other_seed = tradecore(tmp_path / "c", *arguments[:-1], "12", hash_seed="1")

    assert quiet["orders"] > 10
    assert loaded["journal_head"] == quiet["journal_head"]
    assert other_seed["journal_head"] != quiet["journal_head"]


@pytest.mark.parametrize("fault", ["dropped", "doubled", "swapped"])
def test_a_damaged_sequence_is_seen_at_once_and_nothing_trades_on_the_book(tmp_path, fault):
    """After a depth message is dropped, doubled or swapped the book is invalid and no order leaves."""
    packed = (EXAMPLE_DATA / SLICES["spot"][0]).read_bytes()
    lines = gzip.decompress(packed).splitlines(keepends=True)
    depth = [index for index, line in enumerate(lines) if b"depthUpdate" in line]
    at, following = depth[300], depth[301]
    if fault == "dropped":
        noticed_ns = int(lines[following].split()[0])
        del lines[at]
    elif fault == "doubled":
        noticed_ns = int(lines[at].split()[0])
        lines.insert(at, lines[at])
    else:
        first, second = lines[at].split(b" ", 1), lines[following].split(b" ", 1)
        noticed_ns = int(first[0])
        lines[at], lines[following] = b" ".join([first[0], second[1]]), b" ".join([second[0], first[1]])
    damaged = tmp_path / "damaged.gz"
    damaged.write_bytes(gzip.compress(b"".join(lines), 1))

    summary = run_capture(tmp_path / "state", damaged)

    assert summary["book"]["gaps"] == 1
    assert summary["book"]["resyncs"] == 0
    times = [
        time_ns
        for _, time_ns, kind, fields in JournalFolder(summary["journal"]).reader()
        if kind == "order" or (kind == "report" and fields["report"] == "fill")
    ]
    latency_ns = 10_000_000
    assert len(times) > 20
    assert max(times) <= noticed_ns + latency_ns
    assert summary["book"]["compared"] < SLICES["spot"][1]
