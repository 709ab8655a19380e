"""One engine at an account of a venue, whatever engines and their state directories are called."""

import os
import signal
import sys
import time

import pytest

from support.venue_process import ONE_MARKET, WIDE_CANARY, venue_beside
from tradecore_api.exit_codes import ExitCode

LIVE = (
    """
mode = "live"
[live]
person = "Test"
keys = "venue-keys.json"
[feed]
kind = "local"
[[instruments]]
symbol = "BTC-USD"
tick_size = "0.01"
lot_size = "0.0001"
[account]
name = "NAME"
cash = "1000000"
[venue]
matching = "book"
[strategy]
class = "tradecore_api.demo_strategies:Quoter"
[journal]
path = "NAME.journal"
[database]
enabled = false
"""
    + WIDE_CANARY
)

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(120),
    pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX"),
]


def until(is_so):
    """Wait until something is so."""
    deadline = time.monotonic() + 40
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_second_engine_is_refused_until_the_first_is_gone(tmp_path):
    """Also one with another name, journal and state directory, and while the first one does not answer."""
    with venue_beside(tmp_path, "seed = 5" + ONE_MARKET, LIVE.replace("NAME", "one")) as made:
        made.write("two.toml", LIVE.replace("NAME", "two"))
        elsewhere = {"TRADECORE_STATE_DIR": str(made.folder / "elsewhere")}
        for place in ({}, elsewhere):
            made.arm("live.toml", environment=place)
            made.arm("two.toml", environment=place)
        first = made.start("run", "live.toml")
        try:
            journal = made.folder / "one.journal"
            until(lambda: journal.exists() and journal.stat().st_size > 10_000)
            for place in ({}, elsewhere):
                _, talk = made.run("run", "two.toml", code=ExitCode.ALREADY_RUNNING, environment=place)
                assert f"another engine (pid {first.pid}) trades with the key 'demo-trade'" in talk
            os.kill(first.pid, signal.SIGSTOP)
            made.run("run", "two.toml", code=ExitCode.ALREADY_RUNNING, environment=elsewhere)
            # Whoever only asks is in nobody's way.
            made.start("reconcile", "live.toml").communicate(timeout=60)
        finally:
            first.kill()
            first.communicate()
        second = made.start("run", "two.toml", environment=elsewhere)
        try:
            journal = made.folder / "two.journal"
            until(lambda: journal.exists() and journal.stat().st_size > 10_000)
            assert second.poll() is None
        finally:
            second.send_signal(signal.SIGTERM)
            _, talk = second.communicate(timeout=30)
        assert second.returncode == ExitCode.OK, talk
