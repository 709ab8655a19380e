"""What the live demo runs with: the files of the venue, of what goes wrong there, and of the engine."""

import json
from pathlib import Path

from tradecore_api.live_demo.pair import ENGINE

VENUE, FAULTS, JOURNAL = "venue.toml", "faults.toml", "demo.journal"

_VENUE = """\
seed = {seed}
# Short, so that the absence of an order is soon proved.
validity_window_ns = 1_000_000_000

[fees]
maker_bps = "-1"
taker_bps = "5"

[[accounts]]
name = "demo"
balances = {{ USD = "100000" }}

[[markets]]
base = "BTC"
quote = "USD"
is_margin = true
leverage = 5
instrument = {{ symbol = "BTC-USD", tick_size = "0.01", lot_size = "0.0001" }}

[[markets]]
base = "ETH"
quote = "USD"
is_margin = true
leverage = 5
start_ticks = 300_000
lots_mean = 4_000
instrument = {{ symbol = "ETH-USD", tick_size = "0.01", lot_size = "0.001" }}
"""

_ENGINE = """\
mode = "live"
instruments = [
    {{ symbol = "BTC-USD", tick_size = "0.01", lot_size = "0.0001" }},
    {{ symbol = "ETH-USD", tick_size = "0.01", lot_size = "0.001" }},
]
feed = {{ kind = "local" }}
account = {{ name = "demo", currency = "USD", cash = "100000" }}
venue = {{ matching = "book" }}
journal = {{ path = {journal} }}
database = {{ enabled = false }}

[live]
person = "demo"
keys = "venue-keys.json"
answer_timeout_ms = 1_000
report_timeout_ms = 2_000

[live.canary]
instruments = ["BTC-USD", "ETH-USD"]
order_value_max = "50000"
orders_a_day_max = 100_000
position_value_max = "100000"

[[strategies]]
class = "tradecore_api.demo_strategies:Quoter"
instruments = ["BTC-USD"]
quantity = 0.01
position_max = 0.05
tolerance_ticks = 100

[[strategies]]
class = "tradecore_api.demo_strategies:Trend"
instruments = ["ETH-USD"]
bars = "500ms"

[risk]
# Small enough for the quoting strategy to meet it now and then: refusals are part of the show.
quantity_max = "1"
notional_max = "50000"
position_max = "1"
open_orders_max = 4
order_rate_max = 20
price_collar_bps = "500"
"""

# Each with a chance of two in a hundred.
_WRONG = (
    ("request_lost", "submit", ""),
    ("answer_lost", "submit", ""),
    ("answer_late", "submit", "delay_ms = 300"),
    ("server_error", "submit", "takes_effect = true"),
    ("too_many_requests", "submit", "retry_after_seconds = 1"),
    ("request_lost", "cancel", ""),
    ("answer_lost", "cancel", ""),
    ("html_page", "cancel", ""),
    ("empty_list", "open_orders", ""),
    ("partial_page", "fills", ""),
    ("frame_lost", "stream_order", ""),
    ("frame_swapped", "stream_order", ""),
    ("disconnect", "stream_order", ""),
    ("frame_unsent", "stream_fill", ""),
    ("frame_doubled", "stream_fill", ""),
)
_RULE = """
[[rules]]
kind = "{}"
endpoint = "{}"
probability_ppm = 20_000
{}
"""


def write(folder: Path, *, seed: int, has_faults: bool, journal: str) -> list[str]:
    """Write the files; return what the venue is to be started with."""
    (folder / VENUE).write_text(_VENUE.format(seed=seed), encoding="utf-8")
    # A JSON text is a TOML text too, whatever the name of the file has in it.
    engine = _ENGINE.format(journal=json.dumps(journal, ensure_ascii=False))
    (folder / ENGINE).write_text(engine, encoding="utf-8")
    if not has_faults:
        return ["--settings", VENUE]
    rules = "".join(_RULE.format(*wrong) for wrong in _WRONG)
    (folder / FAULTS).write_text(f"seed = {seed}\n{rules}", encoding="utf-8")
    return ["--settings", VENUE, "--faults", FAULTS]
