"""Two live engines with different accounts in one process. They do not see each other.

tradecore venue serve --settings two-accounts.toml --keys venue-keys.json &
python examples/live_two_accounts.py venue-keys.json one two
"""

import asyncio
import sys

from tradecore_api.embedding import EmbeddedEngine

SECONDS = 5


def engine(keys: str, account: str) -> EmbeddedEngine:
    return EmbeddedEngine(
        {
            "mode": "live",
            "live": {"keys": keys, "account": account},
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
    running = [asyncio.create_task(each.run()) for each in engines]
    await asyncio.sleep(SECONDS)  # the work of the program itself
    for each in engines:
        each.stop()
    for account, summary in zip(accounts, await asyncio.gather(*running), strict=True):
        print(account, summary.orders, "orders", summary.fills, "fills", summary.positions)


asyncio.run(main(sys.argv[1], sys.argv[2:]))
