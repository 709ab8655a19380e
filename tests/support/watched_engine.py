"""A venue, a live engine and its watchdog as processes, and how long its orders outlive the engine."""

import json
import signal
import time
import urllib.request

from support.command_line import CommandLine
from support.venue_process import ONE_MARKET, WIDE_CANARY
from tradecore.domain.secret import Secret
from tradecore_local import Key

VENUE = "seed = 5\nvalidity_window_ns = 1_000_000_000" + ONE_MARKET
# Quotes far from the market rest, so that there is always something to end.
LIVE = (
    """
mode = "live"
[live]
person = "Test"
keys = "venue-keys.json"
{live}
[feed]
kind = "local"
[[instruments]]
symbol = "BTC-USD"
tick_size = "0.01"
lot_size = "0.0001"
[account]
name = "main"
cash = "1000000"
[venue]
matching = "book"
[strategy]
class = "tradecore_api.demo_strategies:Quoter"
offset_ticks = 20_000
tolerance_ticks = 15_000
[journal]
path = "live.journal"
[database]
enabled = false
[watchdog]
silent_ms = {silent_ms}
{more}
"""
    + WIDE_CANARY
)
WAIT_SECONDS_MAX = 40.0


class WatchedEngine:
    """The three processes, in a folder; to be closed.

    Parameters
    ----------
    folder : Path
        Where they run.
    silent_ms : int
        After so long without a sign of life the engine is taken for one that hangs.
    more : str
        Further lines of `[watchdog]`.
    venue, live : str
        Further settings of the venue, and lines of `[live]`.
    """

    def __init__(self, folder, *, silent_ms=600, more="", venue="", live=""):
        self.shell = CommandLine(folder)
        self.shell.write("venue.toml", venue + VENUE)
        self.shell.write("live.toml", LIVE.format(silent_ms=silent_ms, more=more, live=live))
        self.processes = []
        self.engine = self.watchdog = self.venue = None
        self.keys = None

    def start(self):
        """Start all three; return once the engine's orders are open."""
        self.start_venue()
        self.start_watchdog()
        self.start_engine()
        return self

    def start_venue(self, port=0):
        """Start the venue, with keys of its own."""
        keys = self.shell.folder / "venue-keys.json"
        keys.unlink(missing_ok=True)
        options = ("--port", port, "--settings", "venue.toml", "--duration-ms", "900000")
        self.venue = self._started("venue", "serve", *options)
        until(keys.exists)
        self.keys = json.loads(keys.read_text())
        self.shell.arm()

    def start_watchdog(self):
        """Start the watchdog; return once it has left a sign of life."""
        beat = self.shell.folder / "state" / "main" / "watchdog.json"
        beat.unlink(missing_ok=True)
        self.watchdog = self._started("watchdog", "live.toml")
        until(beat.exists)

    def start_engine(self, *, is_quoting=True):
        """Start the engine; return once it has orders at the venue."""
        self.engine = self._started("run", "live.toml", "--json")
        if is_quoting:
            until(self.open_orders)

    def close(self):
        """End all that was started."""
        for process in self.processes:
            process.kill()
            process.communicate()

    def open_orders(self):
        """Return the orders that the venue has open, as an auditor sees them."""
        return self.asked("query", "GET", "/orders/open")["orders"]

    def asked(self, use, method, path, body=b""):
        """Ask the venue for something with the account's key of this use, as any program may."""
        named = self.keys["accounts"]["demo"][use]
        key = Key(key_id=named["key_id"], secret=Secret(named["secret"]))
        now_ns = time.time_ns()
        headers = key.headers(method, path, body, time_ns=now_ns, nonce=str(now_ns))
        url = self.keys["url"] + path
        request = urllib.request.Request(url, headers=headers, method=method, data=body or None)
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)

    def by_hand(self):
        """Rest an order that no engine made."""
        order = {"symbol": "BTC-USD", "side": "buy", "quantity": "0.001", "kind": "limit", "price": "50000"}
        self.asked("trade", "POST", "/orders", json.dumps(order).encode())

    def seconds_until_ended(self, number):
        """Send the engine a signal; return how long its orders outlived that."""
        begun = time.monotonic()
        self.engine.send_signal(number)
        until(lambda: not self.open_orders())
        return time.monotonic() - begun

    def stop_and_go_on(self):
        """Let the engine hang until its orders are ended, then quote again; return how long it took."""
        seconds = self.seconds_until_ended(signal.SIGSTOP)
        self.engine.send_signal(signal.SIGCONT)
        until(self.open_orders)
        return seconds

    def kill_and_restart(self):
        """Kill the engine and start it again; return how long its orders outlived it."""
        seconds = self.seconds_until_ended(signal.SIGKILL)
        self.engine.wait(10)
        self.start_engine()
        return seconds

    def beat(self):
        """Return the watchdog's last sign of life."""
        return json.loads((self.shell.folder / "state" / "main" / "watchdog.json").read_text())

    def _started(self, *arguments):
        process = self.shell.start(*arguments)
        self.processes.append(process)
        return process


def until(is_so, seconds=WAIT_SECONDS_MAX):
    """Wait until something is so, and return it."""
    deadline = time.monotonic() + seconds
    while not (said := is_so()):
        assert time.monotonic() < deadline, "it did not come to be so"
        time.sleep(0.02)
    return said
