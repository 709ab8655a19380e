"""Runs the `tradecore` command as a person at a shell does, with small markets to feed it."""

import os
import subprocess
import sys
from pathlib import Path

from tradecore_api.exit_codes import ExitCode

START_NS = 1_723_161_253_937_085_768
SECONDS_MAX = 40

HOLD = '''
from typing import Annotated

import msgspec


class Hold:
    """Does nothing, with one bounded parameter."""

    n: Annotated[int, msgspec.Meta(ge=1, le=9)] = 3

    def on_bar(self, ctx, bar):
        """Look on."""
'''

BACKTEST = """
mode = "backtest"
[account]
name = "past"
cash = 10_000
[[instruments]]
symbol = "ABC"
tick_size = 0.01
[data]
path = "bars.csv"
[strategy]
class = "hold.py:Hold"
"""

PAPER = """
mode = "paper"
[account]
name = "one"
cash = 100_000
[[instruments]]
symbol = "BTC-USD"
tick_size = 0.01
lot_size = 0.0001
[feed]
kind = "simulated"
seconds = 5
virtual = true
[strategy]
class = "tradecore_api.demo_strategies:Quoter"
quantity = 0.01
position_max = 0.05
"""

CAPTURE = """
mode = "paper"
[account]
name = "capture"
currency = "USDT"
cash = 10_000
[[instruments]]
symbol = "BTCUSDT"
tick_size = 0.01
lot_size = 0.00001
[feed]
kind = "binance_capture"
path = "capture"
[strategy]
class = "taker.py:Taker"
"""

TAKER = '''
class Taker:
    """Buys and sells in turn, at every eighth trade it sees."""

    seen: int = 0

    def on_trade(self, ctx, trade):
        """Count and take."""
        self.seen += 1
        if self.seen % 8 == 0:
            side = ctx.buy if self.seen % 16 else ctx.sell
            side(quantity=0.001)
'''


class CommandLine:
    """A folder with a state directory, and the command to run in it.

    Parameters
    ----------
    folder : Path
        Where files and the state of engines go.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = {**os.environ, "TRADECORE_STATE_DIR": str(folder / "state"), "NO_COLOR": "1"}
        for name, text in (("hold.py", HOLD), ("taker.py", TAKER), ("bars.csv", bars(80))):
            self.write(name, text)

    def write(self, name, content):
        """Write a file into the folder and return its path."""
        path = self.folder / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def start(self, *arguments, environment=None, program=None, **options):
        """Start a command, or a Python program, and return its process."""
        begins = ["-m", "tradecore_api"] if program is None else [program]
        return subprocess.Popen(
            [sys.executable, *begins, *map(str, arguments)],
            cwd=self.folder,
            env={**self.environment, **(environment or {})},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            **options,
        )

    def run(self, *arguments, code=ExitCode.OK, environment=None, **options):
        """Run a command to its end, which must come with this exit code and without a traceback."""
        with self.start(*arguments, environment=environment, **options) as process:
            try:
                output, talk = process.communicate(timeout=SECONDS_MAX)
            except subprocess.TimeoutExpired:
                process.kill()
                raise
        assert process.returncode == code, (arguments, process.returncode, output[-2000:], talk[-2000:])
        assert "Traceback" not in talk, talk
        return output, talk

    def arm(self, config="live.toml", *options, environment=None):
        """Arm a live configuration whose venue has started."""
        return self.run("arm", config, "--by", "Test", *options, environment=environment)

    def refused(self, *arguments, code, says, environment=None):
        """Run a command that must fail with one line on stderr, nothing on stdout, and these words."""
        output, talk = self.run(*arguments, code=code, environment=environment)
        lines = talk.splitlines()
        assert output == ""
        assert len(lines) == 1, talk
        assert lines[0].startswith("tradecore: ")
        for word in says:
            assert word in lines[0], (word, lines[0])
        return lines[0]


def bars(count):
    """Write daily bars of a market that stands still."""
    rows = [f"{START_NS // 10**9 + 86_400 * i},100,101,99,100.5,10" for i in range(count)]
    return "\n".join(["time,open,high,low,close,volume", *rows]) + "\n"


def capture_lines(count):
    """Write a spot capture of one symbol: a snapshot, then depth, best prices and trades in turn."""
    snapshot = (
        '{"lastUpdateId":100,"bids":[["99.99","5"],["99.98","5"]],"asks":[["100.01","5"],["100.02","5"]]}'
    )
    lines = [f"{START_NS} {snapshot}"]
    for i in range(count):
        time_ns, update = START_NS + (i + 1) * 1_000_000, 101 + i // 3
        bids = f'[["99.97","{1 + i % 7}"]]'
        depth = f'{{"e":"depthUpdate","E":1,"s":"BTCUSDT","U":{update},"u":{update},"b":{bids},"a":[]}}'
        best = f'{{"u":{update},"s":"BTCUSDT","b":"99.99","B":"5","a":"100.01","A":"5"}}'
        trade = (
            f'{{"e":"trade","E":1,"s":"BTCUSDT","t":{i},"p":"100.01","q":"0.50000","T":1,"m":false,"M":true}}'
        )
        stream, data = (("depth@100ms", depth), ("bookTicker", best), ("trade", trade))[i % 3]
        lines.append(f'{time_ns} {{"stream":"btcusdt@{stream}","data":{data}}}')
    return lines
