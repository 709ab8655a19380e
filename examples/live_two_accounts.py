"""Two live engines with different accounts in one process. They do not see each other.

tradecore venue serve --settings two-accounts.toml --keys venue-keys.json &
python examples/live_two_accounts.py venue-keys.json one two
"""

import asyncio
import sys

from tradecore_api.embedding import EmbeddedEngine

MAX = {"instruments": ["BTC-USD"], "order_value_max": 999, "orders_a_day_max": 999, "position_value_max": 5e3}


def engine(keys: str, account: str) -> EmbeddedEngine:
    return EmbeddedEngine(
        {
            "mode": "live",
            "live": {"keys": keys, "account": account, "person": "Ada", "canary": MAX},
            "feed": {"kind": "local"},
            "instruments": [{"symbol": "BTC-USD", "tick_size": "0.01", "lot_size": "0.0001"}],
            "account": {"name": account, "cash": "10000"},
            "venue": {"matching": "book"},
            "strategy": {"class": "tradecore_api.demo_strategies:Quoter"},
            "journal": {"path": f"{account}.journal"},
        }
    )


async def main(keys: str, accounts: list[str]) -> None:
    engines = [engine(keys, account) for account in accounts]
    print("armed", [each.arm("Ada") for each in engines], file=sys.stderr)
    running = [asyncio.create_task(each.run()) for each in engines]
    await asyncio.sleep(5)  # the work of the program itself
    for account, each, run in zip(accounts, engines, running, strict=True):
        each.stop()
        print(account, await run)


asyncio.run(main(sys.argv[1], sys.argv[2:]))
