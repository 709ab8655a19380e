"""`tradecore venue serve` as a process: what it says, what it writes, how it ends."""

import asyncio
import json
import os
import re
import signal
import stat
import subprocess
import sys
import time

import pytest

from support.local_venue import DEMO, terms
from tradecore.domain.secret import Secret
from tradecore.domain.venue_findings import Balances
from tradecore.domain.venue_keys import TradingKey
from tradecore.domain.venue_requests import Submit, Taken
from tradecore.runtime.system_clock import SystemClock
from tradecore_local.client import LocalVenue

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="signals and modes of files are POSIX"),
]
COMMAND = [sys.executable, "-m", "tradecore_api", "venue", "serve"]
SECONDS_MAX = 40


def served(folder, *arguments: str) -> subprocess.Popen:
    """Start a venue in a folder."""
    return subprocess.Popen(
        [*COMMAND, "--port", "0", *arguments],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "TRADECORE_STATE_DIR": str(folder / "state")},
    )


def ended(folder, *arguments: str) -> subprocess.CompletedProcess:
    """Run a venue to its end."""
    return subprocess.run(
        [*COMMAND, "--port", "0", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=SECONDS_MAX,
        check=False,
    )


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_says_where_it_listens_and_ends_within_a_second_of_a_signal(tmp_path, number):
    """While a client trades with the keys that it wrote, which only their owner can read."""
    process = served(tmp_path)
    lines = [process.stdout.readline() for _ in range(3)]
    url = re.search(r"http://127\.0\.0\.1:\d+", lines[0])[0]
    path = tmp_path / "venue-keys.json"
    content = json.loads(path.read_text())

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert "BTC-USD, ETH-USD" in lines[0]
    assert "venue-keys.json" in lines[1]
    assert "Ctrl-C" in lines[2]
    assert content["url"] == url
    asyncio.run(trade(url, content["accounts"]["demo"]["trade"]))
    begin = time.monotonic()
    process.send_signal(number)
    out, err = process.communicate(timeout=SECONDS_MAX)
    took = time.monotonic() - begin

    assert (process.returncode, out, err) == (0, "", "")
    # The end of an interpreter on a busy machine is not the venue's.
    assert took < 3.0


async def trade(url: str, key: dict[str, str]) -> None:
    """Send an order with a key of the file, and leave the stream open."""
    specs = [market.instrument for market in DEMO.markets]
    signed = TradingKey(key_id=key["key_id"], secret=Secret(key["secret"]))
    client = await LocalVenue.connect(url, signed, specs, SystemClock())
    await anext(client.reports())
    assert isinstance(await client.submit(Submit(client_order_id="a", order=terms(), lots=10)), Taken)
    assert len((await client.query(Balances())).seen) == 3
    await client.aclose()


def test_it_ends_by_itself_and_says_it_as_json(tmp_path):
    """Two lines: where it listens, and what went wrong on purpose."""
    done = ended(tmp_path, "--duration-ms", "200", "--json", "--instruments", "ETH-USD", "--keys", "k.json")
    first, last = [json.loads(line) for line in done.stdout.splitlines()]

    assert (done.returncode, done.stderr) == (0, "")
    assert (first["keys"], first["symbols"], last) == ("k.json", ["ETH-USD"], {"faults": {}})


def test_it_says_at_its_end_what_went_wrong_on_purpose(tmp_path):
    """By kind and endpoint, on stderr."""
    (tmp_path / "faults.toml").write_text(
        '[[rules]]\nkind = "clock_skew"\nendpoint = "rules"\ncounts = [1]\ndelay_ms = 5\n'
    )
    process = served(tmp_path, "--faults", "faults.toml")
    url = re.search(r"http://127\.0\.0\.1:\d+", process.stdout.readline())[0]
    for _ in range(2):
        process.stdout.readline()
    key = json.loads((tmp_path / "venue-keys.json").read_text())["accounts"]["demo"]["trade"]
    asyncio.run(trade(url, key))
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=SECONDS_MAX)

    assert err == "tradecore: went wrong on purpose once: clock_skew at rules\n"


@pytest.mark.parametrize(
    ("arguments", "files", "code", "words"),
    [
        (
            ["--instruments", "DOGE"],
            {},
            78,
            "--instruments: symbol = 'DOGE': must be one of BTC-USD, ETH-USD",
        ),
        (["--faults", "f.toml"], {}, 78, "f.toml: file: cannot be read: No such file or directory"),
        (["--faults", "f.toml"], {"f.toml": "seed = x"}, 78, "f.toml: content: "),
        (["--faults", "f.json"], {"f.json": '{"rules":[{}]}'}, 78, "f.json: content: "),
        (
            ["--faults", "f.toml"],
            {"f.toml": '[[rules]]\nkind = "frame_lost"\nendpoint = "submit"\ncounts = [1]'},
            78,
            "f.toml: kind = 'frame_lost': cannot happen at 'submit'",
        ),
        (["--settings", "s.toml"], {"s.toml": "page_max = 0"}, 78, "s.toml: page_max = 0: must be above 0"),
        (["--keys", "nowhere/k.json"], {}, 74, "nowhere/k.json: keys cannot be written"),
        (["--port", "70000"], {}, 2, "must be a port from 0 to 65535"),
        (["--host", "256.0.0.1"], {}, 69, "cannot listen"),
    ],
)
def test_what_cannot_be_is_said_in_one_line_with_its_place(tmp_path, arguments, files, code, words):
    """File, key, value and rule; and no secret or key file is left behind."""
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    done = ended(tmp_path, "--duration-ms", "100", *arguments)

    assert done.returncode == code, done.stderr
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "venue-keys.json").exists()
