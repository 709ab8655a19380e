"""`tradecore run --feed binance` against a local server that replays a capture over real sockets."""

import asyncio
import json
import os
import signal
import sys

import pytest

from support.shared import EXAMPLE_DATA
from tradecore_api.exit_codes import ExitCode
from tradecore_binance.market import Market
from tradecore_binance.replay_server import Fault, FaultKind, ReplayServer

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")


async def run_against(server, directory, *settings, seconds_max=30.0):
    """Run the daemon on the server's data until they end, then SIGTERM; return its code and summary."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tradecore_api",
        "run",
        "--feed",
        "binance",
        "--json",
        "--set",
        f"feed.ws_url={server.ws_url}",
        "--set",
        f"feed.rest_url={server.rest_url}",
        "--set",
        "log.level=error",
        *(part for setting in settings for part in ("--set", setting)),
        env={**os.environ, "TRADECORE_STATE_DIR": str(directory)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(seconds_max):
            await server.finished.wait()
        await asyncio.sleep(0.5)
        process.send_signal(signal.SIGTERM)
        output, errors = await asyncio.wait_for(process.communicate(), 6)
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()
    assert process.returncode == ExitCode.OK, errors.decode()
    return json.loads(output)


async def test_the_live_feed_builds_the_book_and_trades_on_it(tmp_path):
    """No key, no configuration file: the book is synchronised and equal to every best price compared."""
    path = EXAMPLE_DATA / "binance-spot.gz"
    async with ReplayServer(path, speed=15.0) as server:
        summary = await run_against(server, tmp_path)
    assert summary["book"]["compared"] > 60
    assert summary["book"]["mismatches"] == 0
    assert summary["orders"] > 0
    assert summary["journal_verified"] is True


async def test_the_market_decides_how_messages_are_numbered(tmp_path):
    """`--set feed.market=usdm` is enough: no gap is seen where there is none."""
    path = EXAMPLE_DATA / "binance-usdm.gz"
    settings = ("feed.market=usdm", "instruments.0.tick_size=0.1", "instruments.0.lot_size=0.001")
    async with ReplayServer(path, market=Market.USDM, speed=8.0) as server:
        summary = await run_against(server, tmp_path, *settings)
    assert summary["book"]["compared"] > 10
    assert (summary["book"]["mismatches"], summary["book"]["gaps"]) == (0, 0)


async def test_a_lost_depth_message_is_found_and_resynchronised_over_rest(tmp_path):
    """The gap is counted, the book comes back from a fresh snapshot, and is right again."""
    path = EXAMPLE_DATA / "binance-spot.gz"
    faults = [
        Fault(kind=FaultKind.DROP, depth_number=100),
        Fault(kind=FaultKind.CLOSE, depth_number=300),
    ]
    async with ReplayServer(path, speed=15.0, faults=faults) as server:
        summary = await run_against(server, tmp_path)
    assert summary["book"]["gaps"] >= 1
    assert summary["book"]["resyncs"] >= 2
    assert summary["book"]["mismatches"] == 0
    assert server.connections >= 2
