"""Engines as processes of their own at one venue, whose list of deeds the test can read."""

import asyncio
import json
import os
import signal
import sys
import time
from contextlib import asynccontextmanager
from pathlib import Path

from support.embedded_live import CASH, venue_settings
from support.local_venue import CANCEL_KEY, KEY, QUERY_KEY, serving
from support.shared import ROOT
from tradecore.domain.journal import JournalFolder
from tradecore.runtime.live.client_ids import ClientIds
from tradecore.testkit.local_venue.records import OrderRow

LIVE = f"""
mode = "live"
[live]
person = "Test"
canary.instruments = ["BTC-USD"]
canary.order_value_max = 1_000_000_000
canary.orders_a_day_max = 1_000_000
canary.position_value_max = 1_000_000_000
keys = "venue-keys.json"
answer_timeout_ms = 1_000
drop_copy.enabled = false
[feed]
kind = "local"
[[instruments]]
symbol = "BTC-USD"
tick_size = "0.01"
lot_size = "0.0001"
[account]
name = "main"
cash = "{CASH}"
[venue]
matching = "book"
[strategy]
class = "tradecore_api.demo_strategies:Quoter"
[journal]
path = "live.journal"
[database]
enabled = false
"""


class Running:
    """A command that was started."""

    def __init__(self, pid, ended, log):
        self.pid, self.ended, self.log = pid, ended, log

    def signal(self, number):
        """Send it a signal, if it still is there."""
        if not self.ended.done():
            os.kill(self.pid, number)

    async def code(self, seconds=40):
        """Return its exit code, once it has ended."""
        return await asyncio.wait_for(asyncio.shield(self.ended), seconds)

    @property
    def talk(self):
        """What it has said."""
        return self.log.read_text()


class Machine:
    """A state directory and a folder with a journal, as one machine has them."""

    def __init__(self, place, stable, ground, *, is_alone=False):
        self.folder, self._stable, self._ground, self._is_alone = place, stable, ground, is_alone
        place.mkdir(parents=True)
        (place / "live.toml").write_text(LIVE)
        self.environment = {"TRADECORE_STATE_DIR": str(place / "state"), "NO_COLOR": "1"}
        rights = (("trade", KEY), ("query", QUERY_KEY), ("cancel", CANCEL_KEY))
        keys = {right: {"key_id": key.key_id, "secret": key.secret.reveal()} for right, key in rights}
        server = ground.server
        urls = {"url": server.url, "query_url": server.query_url}
        path = place / "venue-keys.json"
        path.write_text(json.dumps({**urls, "accounts": {"demo": keys}}))
        path.chmod(0o600)
        self.journal = JournalFolder(str(place / "live.journal"))

    async def start(self, *arguments):
        """Start a command."""
        return await self._stable.start(
            arguments, folder=self.folder, environment=self.environment, is_alone=self._is_alone
        )

    async def run(self, *arguments, code=0):
        """Run a command to its end, which must come with this exit code; return what it said."""
        made = await self.start(*arguments)
        found = await made.code()
        assert found == code, (arguments, found, made.talk[-3000:])
        assert "Traceback" not in made.talk, made.talk
        return made.talk

    async def trading(self, *arguments, orders=3):
        """Start the engine and wait until so many new orders of it are at the venue."""
        before = len(self._ground.server.exchange.truth)
        made = await self.start("run", "live.toml", "--plain", *arguments)
        deadline = time.monotonic() + 60
        while len(names(self._ground, before)) < orders:
            assert not made.ended.done(), made.talk[-3000:]
            assert time.monotonic() < deadline, made.talk[-3000:]
            await asyncio.sleep(0.01)
        return made

    async def trading_more(self, orders):
        """Wait until so many more orders are at the venue."""
        before = len(self._ground.server.exchange.truth)
        deadline = time.monotonic() + 60
        while len(names(self._ground, before)) < orders:
            assert time.monotonic() < deadline
            await asyncio.sleep(0.01)

    def ids(self, epoch):
        """Return the names of an epoch of the journal."""
        return ClientIds(epoch, self.journal.first_hash())


class Stable:
    """The warm process, and what it has started."""

    def __init__(self, process, place):
        self._process, self._place = process, place
        self._count = 0
        self._started, self._ended = {}, {}
        self.made = []
        self._reading = asyncio.create_task(self._read())

    async def _read(self):
        async for line in self._process.stdout:
            said = json.loads(line)
            if "pid" in said:
                self._ended[said["pid"]] = asyncio.get_running_loop().create_future()
                self._started.pop(said["number"]).set_result(said["pid"])
            else:
                self._ended[said["ended"]].set_result(said["code"])

    async def start(self, arguments, *, folder, environment, is_alone):
        """Start a command and return it."""
        self._count += 1
        number, log = self._count, self._place / f"command-{id(self):x}-{self._count}.log"
        self._started[number] = started = asyncio.get_running_loop().create_future()
        asked = {
            "number": number,
            "arguments": [str(each) for each in arguments],
            "folder": str(folder),
            "environment": environment,
            "log": str(log),
            "alone": is_alone,
        }
        log.touch()
        self._process.stdin.write(json.dumps(asked).encode() + b"\n")
        pid = await asyncio.wait_for(started, 30)
        made = Running(pid, self._ended[pid], log)
        self.made.append(made)
        return made

    async def close(self):
        """End all."""
        for made in self.made:
            made.signal(signal.SIGKILL)
        for made in self.made:
            await made.code()
        self._process.stdin.close()
        await asyncio.wait_for(self._process.wait(), 10)
        self._reading.cancel()


@asynccontextmanager
async def engines(place: Path, seed=1, **settings):
    """Serve a venue, and yield it with what starts commands beside it; the place is there."""
    async with serving(venue_settings(seed, **settings), seed=seed) as ground:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            str(ROOT / "tests/support/engine_stable.py"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            env={**os.environ, "NO_COLOR": "1"},
        )
        stable = Stable(process, place)
        try:
            yield ground, stable
        finally:
            await stable.close()


def names(ground, since=0):
    """Return the names of the orders that have come to the venue since so many of its deeds."""
    deeds = [deed for deed in ground.server.exchange.truth if isinstance(deed, OrderRow)]
    first = {}
    for deed in deeds:
        first.setdefault(deed.number, deed)
    later = {
        deed.number
        for deed in list(ground.server.exchange.truth)[since:]
        if isinstance(deed, OrderRow) and deed.account == "demo"
    }
    early = {deed.number for deed in list(ground.server.exchange.truth)[:since] if isinstance(deed, OrderRow)}
    return [first[number].client_order_id for number in sorted(later - early)]


def asked_for(ground, since):
    """Return what the account has asked for since so many deeds: all that is no trade and no expiry."""
    last, found = {}, []
    for position, deed in enumerate(ground.server.exchange.truth):
        if not isinstance(deed, OrderRow) or deed.account != "demo":
            continue
        before = last.get(deed.number)
        last[deed.number] = deed
        is_fill = before is not None and deed.filled_lots > before.filled_lots
        if position >= since and not is_fill:
            found.append(deed)
    return found
