"""A venue that takes everything and answers nothing holds no end, and nothing is lost by it."""

import os
import signal
import sys
import time
from argparse import Namespace
from contextlib import contextmanager

import pytest

from support.nightly import size
from support.scripts import script

if sys.platform == "win32":
    pytest.skip("signals of POSIX", allow_module_level=True)

from tradecore_api.live_demo.pair import Pair, standing_of

RUNS = size(3, 100)
RATE = 100
SECONDS_MAX = 5.0
SETTLE_SECONDS_MAX = 60.0
# What was in doubt at its end is asked about by the next start, which reads the whole journal first.
START_SECONDS_MAX = 60.0


@contextmanager
def black_hole(pid):
    """Let a venue hear and answer nothing meanwhile; connections to it are still made."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


@pytest.mark.slow
@pytest.mark.nightly
@pytest.mark.timeout(size(240, 3_000))
@pytest.mark.without("venue", works="SIGTERM ends an engine whose venue answers nothing within five seconds")
def test_sigterm_ends_an_engine_in_time_whose_venue_answers_nothing_and_nothing_is_lost(tmp_path):
    """Again and again, each time under way with orders; at the end both sides are the same, to the unit."""
    bench = script("benches/live_load.py")
    options = Namespace(rate=RATE, seed=5, faults_ppm=0)
    bench.write(tmp_path, options)
    took = []
    with Pair(tmp_path, bench.written_faults(tmp_path, options), lambda _: None, end_seconds_max=20) as pair:
        pair.start_venue()
        pair.arm("Test")
        for number in range(RUNS):
            pair.start_engine()
            trade(pair)
            with black_hole(pair.pids()["venue"]):
                # The first ones end at once, the others with everything that the venue owed by then in doubt.
                time.sleep(0.4 * (number % 3))
                began = time.monotonic()
                said = pair.end_engine()
                took.append(time.monotonic() - began)
                print(f"{number}: {took[-1]:.2f} s", flush=True)
            assert said["journal_verified"] is True
        pair.start_engine()
        trade(pair)
        said = pair.settled(lambda: SETTLE_SECONDS_MAX)
        assert said is not None
        compared = pair.compared(pair.truth(), said)
    print(f"{RUNS} runs: at most {max(took):.2f} s; {compared.orders_there} orders")
    assert max(took) < SECONDS_MAX, took
    assert compared.differences == ()
    assert compared.orders_there > RUNS


def trade(pair):
    """Wait until books and venue agree and orders have gone out."""
    before = said = None
    deadline = time.monotonic() + START_SECONDS_MAX
    while time.monotonic() < deadline:
        if (said := pair.look()) is not None and standing_of(said).is_agreed:
            orders = standing_of(said).orders
            before = orders if before is None else before
            if orders > before + 5:
                return
    raise AssertionError(said and (said["venue"], said["not_done"], said["orders"]))
