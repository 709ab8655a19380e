"""A live configuration in a folder, with a file of keys and a strategy of its own; no venue answers."""

import json

from tradecore_api.config import read

LIVE = """
mode = "live"
[live]
keys = "keys.json"
person = "Ada"
canary.instruments = ["BTC-USD"]
canary.order_value_max = 500
canary.orders_a_day_max = 20
canary.position_value_max = 1_000
[feed]
kind = "local"
[[instruments]]
symbol = "BTC-USD"
tick_size = "0.01"
lot_size = "0.0001"
[[instruments]]
symbol = "ETH-USD"
tick_size = "0.01"
lot_size = "0.001"
[account]
name = "main"
cash = "10000"
[venue]
matching = "book"
[strategy]
class = "own.py:Own"
step = 3
"""
STRATEGY = '''
from beside import STEP


class Own:
    """Does nothing."""

    step: int = STEP

    def on_trade(self, ctx, trade):
        """Look on."""
'''


class Armed:
    """The folder, and what a test changes in it."""

    def __init__(self, folder) -> None:
        self.folder = folder
        self.write("own.py", STRATEGY)
        self.write("beside.py", "STEP = 1\n")
        self.write("live.toml", LIVE)
        self.keys()

    def write(self, name, text):
        """Write a file."""
        path = self.folder / name
        path.write_text(text)
        return path

    def keys(self, url="http://127.0.0.1:1", key_id="k1", secret="never told", rights=("trade", "query")):
        """Write the file of keys."""
        path = self.folder / "keys.json"
        path.touch(mode=0o600)
        held = {right: {"key_id": f"{key_id}-{right}", "secret": secret} for right in rights}
        path.write_text(json.dumps({"url": url, "accounts": {"demo": held}}))

    def change(self, before, after):
        """Change the configuration."""
        text = (self.folder / "live.toml").read_text()
        assert before in text
        self.write("live.toml", text.replace(before, after, 1))

    def config(self, *options):
        """Return the configuration."""
        return read.load(self.folder / "live.toml", environment={}, options=options)
