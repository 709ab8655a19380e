"""A live run whose keys come from each store, which trades and fails: nothing that it leaves has a secret."""

import json
import time

import pytest

from support.command_line import CommandLine
from support.venue_process import WIDE_CANARY
from tradecore_api.exit_codes import ExitCode

LIVE = (
    """
mode = "live"
[live]
person = "Test"
url = "URL"
[live.secrets]
STORE
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
class = "fails.py:Fails"
[log]
level = "debug"
json = true
[journal]
path = "live.journal"
"""
    + WIDE_CANARY
)
FAILS = '''
import os


class Fails:
    """Trades, leaves what it finds in the environment, and fails when it is asked to."""

    sent: int = 0

    def on_trade(self, ctx, trade):
        """Buy a little, then look at everything."""
        if not self.sent and ctx.buy(quantity=0.01):
            self.sent = 1
        if os.path.exists("fail"):
            with open("seen.txt", "w") as file:
                file.write(repr(dict(os.environ)))
            raise RuntimeError(f"looked at {ctx!r} and at {vars(self)!r}")
'''


@pytest.fixture
def folder(tmp_path):
    """Return a folder with a venue that runs, its keys, and processes in it."""
    made = CommandLine(tmp_path)
    made.write("fails.py", FAILS)
    made.started = [made.start("venue", "serve", "--port", "0", "--duration-ms", "60000")]
    deadline = time.monotonic() + 30
    while not (tmp_path / "venue-keys.json").exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    yield made
    for process in made.started:
        process.kill()
        process.communicate()


def stored(folder, kind, key):
    """Put the key into a store; return its settings, and the variables that the engine gets."""
    text = json.dumps(key)
    if kind == "environment":
        return 'kind = "environment"', {"TRADECORE_SECRET_VENUE_TRADING": text}
    if kind == "systemd":
        (folder.folder / "credentials").mkdir()
        folder.write("credentials/venue_trading", text).chmod(0o400)
        return 'kind = "systemd"', {"CREDENTIALS_DIRECTORY": str(folder.folder / "credentials")}
    folder.write("secrets.json", json.dumps({"venue_trading": key})).chmod(0o600)
    return 'kind = "file"\npath = "secrets.json"', {}


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["environment", "file", "systemd"])
def test_a_run_that_trades_and_fails_leaves_no_secret_anywhere(folder, kind):
    """Output, status, journal, tables, last words, and the environment that a strategy sees."""
    keys = json.loads((folder.folder / "venue-keys.json").read_text())
    key = keys["accounts"]["demo"]["trade"]
    settings, variables = stored(folder, kind, key)
    folder.write("live.toml", LIVE.replace("URL", keys["url"]).replace("STORE", settings))
    folder.arm(environment=variables)
    engine = folder.start("run", "live.toml", environment=variables)
    folder.started.append(engine)
    shown = [until_filled(folder)]
    (folder.folder / "fail").touch()
    shown += engine.communicate(timeout=30)
    with folder.start("status", "main") as after:
        shown += after.communicate(timeout=30)
    shown += folder.run("journal", "tail", "live.journal")

    assert engine.returncode == ExitCode.STRATEGY, shown
    assert "looked at" in "".join(shown)
    hits = [text[:200] for text in shown if key["secret"] in text]
    own = {"venue-keys.json", "secrets.json", "venue_trading"}
    files = [path for path in folder.folder.rglob("*") if path.is_file() and path.name not in own]
    hits += [path.name for path in files if key["secret"].encode() in path.read_bytes()]
    assert hits == []
    assert {"live.journal", "seen.txt", "last_words.json"} <= {path.name for path in files}


def until_filled(folder):
    """Wait until the engine has traded; return what it says of itself."""
    deadline = time.monotonic() + 40
    while True:
        with folder.start("status", "main", "--json") as process:
            output, talk = process.communicate(timeout=20)
        said = json.loads(output) if output else {}
        if (said.get("engine") or {}).get("fills"):
            return output + talk
        assert said.get("state") != "dead", output
        assert time.monotonic() < deadline, (output, talk)
        time.sleep(0.2)
