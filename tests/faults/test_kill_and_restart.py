"""kill -9 at random moments of a paper session, and what every restart finds."""

import os
import random
import signal
import sys
import time

import pytest

from support.nightly import size
from support.paper_desk import CAPTURE, PaperDesk, trading
from tradecore.domain.journal import JournalFolder

# Each night as many as there used to be with each change; `promises.crashes` kills at chosen points.
KILLS = int(os.environ.get("TRADECORE_KILLS", size(60, 200)))
# Slow enough that all runs together, at most a fifth of a second each, do not reach the end of the capture:
# at this speed it takes a minute.
SPEED = 1

pytestmark = [
    pytest.mark.nightly,
    pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL of POSIX"),
    pytest.mark.timeout(540),
]


@pytest.mark.without("process", works="`kill -9` at any moment loses and doubles nothing that was told")
def test_nothing_is_lost_or_doubled_by_kills_at_any_moment(tmp_path):
    """No acknowledged order or fill is lost or doubled, positions are the sum of fills, the run goes on."""
    (tmp_path / "undisturbed").mkdir()
    (tmp_path / "killed").mkdir()
    undisturbed = PaperDesk(tmp_path / "undisturbed", CAPTURE)
    expected = undisturbed.finish()
    desk = PaperDesk(tmp_path / "killed", CAPTURE)
    seed = random.SystemRandom().randrange(2**32)
    print(f"seed {seed}")
    chance = random.Random(seed)
    lengths = []

    for _ in range(KILLS):
        length = desk.journal.stat().st_size if desk.journal.exists() else 0
        process = desk.start(speed=SPEED)
        # Most die at work; the others while they start or recover.
        if chance.random() < 0.8:
            desk.wait_until_longer(length, process)
        time.sleep(chance.uniform(0.0, 0.2))
        process.send_signal(signal.SIGKILL)
        process.communicate()
        if desk.journal.exists() and desk.journal.stat().st_size:
            verdict = JournalFolder(desk.journal).verify()
            assert verdict.status in {"intact", "torn"}, f"seed {seed}: {verdict.message}"
            lengths.append(verdict.records)
    actual = desk.finish()

    records = desk.records()
    assert lengths == sorted(lengths), f"seed {seed}: a restart lost committed records"
    assert len(set(lengths)) > KILLS // 4, "the kills must have met a session at work"
    for name in ("events", "orders", "fills", "pnl", "positions", "orders_digest", "state_hash"):
        assert actual[name] == expected[name], f"seed {seed}: {name}"
    assert trading(records) == trading(undisturbed.records()), f"seed {seed}"
    acknowledged = list(desk.acknowledged())
    by_seq = {seq: fields for seq, kind, fields in records if kind == "report"}
    assert len({seq for seq, _, _ in acknowledged}) > 100
    for seq, order_id, report in acknowledged:
        assert by_seq[seq]["order_id"] == order_id, f"seed {seed}"
        assert by_seq[seq]["report"] == report, f"seed {seed}"
    assert position_of(records) == pytest.approx(float(actual["positions"]["BTCUSDT"]), abs=1e-12)


def position_of(records) -> float:
    """Sum up the fills of a journal, in BTC: lots of the example are 0.00001."""
    sides = {fields["order_id"]: fields["side"] for _, kind, fields in records if kind == "order"}
    lots = sum(
        fields["lots"] * (1 if sides[fields["order_id"]] == "buy" else -1)
        for _, kind, fields in records
        if kind == "report" and fields["report"] == "fill"
    )
    return lots / 100_000
