"""A stand-in for the REST interface of Binance: real trades of a capture, as aggregates and klines."""

import gzip
import json
from contextlib import asynccontextmanager
from decimal import Decimal

from aiohttp import web

from tradecore_binance.market import ENDPOINTS

_MS = {"1s": 1_000, "1m": 60_000, "5m": 300_000, "1h": 3_600_000}


def trades_of(capture):
    """Return the market's own trades of a capture, in their order: the venue's fields."""
    found = {}
    with gzip.open(capture.path, "rt") as lines:
        for line in lines:
            message = json.loads(line.partition(" ")[2])
            data = message.get("data", message)
            if data.get("e") == "trade" and data.get("X", "MARKET") == "MARKET":
                found[data["t"]] = data
    return [found[number] for number in sorted(found)]


def aggregates_of(trades):
    """Return trades as the venue shows them: those of one price, side and time as one."""
    made = []
    for trade in trades:
        last = made[-1] if made else None
        alike = last and (last["p"], last["m"], last["T"]) == (trade["p"], trade["m"], trade["T"])
        if alike and last["l"] + 1 == trade["t"]:
            last["q"] = str(Decimal(last["q"]) + Decimal(trade["q"]))
            last["l"] = trade["t"]
        else:
            number = len(made)
            row = {"a": number, "p": trade["p"], "q": trade["q"], "f": trade["t"], "l": trade["t"]}
            made.append(row | {"T": trade["T"], "m": trade["m"], "M": True})
    return made


class RestVenue:
    """Answers `aggTrades`, `klines` and `time` from a list of aggregates.

    `answers` are given first, in turn: a status with headers and a body, or `None` for the true one.
    """

    def __init__(self, market, aggregates, *, now_ms=None) -> None:
        self.aggregates = aggregates
        self.market = market
        self.now_ms = now_ms if now_ms is not None else aggregates[-1]["T"] + 10_000
        self.answers = []
        self.asked = []
        self.used_weight = "10"
        self.rows_max = 1_000
        self.url = ""

    def _rows(self, query):
        rows = self.aggregates
        if "fromId" in query:
            rows = [row for row in rows if row["a"] >= int(query["fromId"])]
        else:
            return rows[-min(int(query["limit"]), self.rows_max) :]
        return rows[: min(int(query["limit"]), self.rows_max)]

    def _klines(self, query):
        span = _MS[query["interval"]]
        first, last = int(query["startTime"]), int(query["endTime"])
        rows = []
        start = -(-max(first, self.aggregates[0]["T"] // span * span) // span) * span
        for opened in range(start, min(last, self.now_ms) + 1, span):
            inside = [row for row in self.aggregates if opened <= row["T"] < opened + span]
            prices = [Decimal(row["p"]) for row in inside] or [Decimal(1)]
            volume = sum(Decimal(row["q"]) for row in inside)
            ends = (prices[0], max(prices), min(prices), prices[-1], volume)
            rows.append([opened, *map(str, ends), opened + span - 1, "0", len(inside), "0", "0", "0"])
        return rows[: min(int(query["limit"]), self.rows_max)]

    async def answer(self, request):
        """Answer one request."""
        name = request.path.rpartition("/")[2]
        self.asked.append((name, dict(request.query)))
        given = self.answers.pop(0) if self.answers else None
        if given is not None:
            status, headers, body = given
            return web.Response(status=status, headers=headers, body=body)
        made = {
            "aggTrades": lambda: self._rows(request.query),
            "klines": lambda: self._klines(request.query),
            "time": lambda: {"serverTime": self.now_ms},
        }[name]()
        return web.json_response(made, headers={"X-MBX-USED-WEIGHT-1M": self.used_weight})


@asynccontextmanager
async def serving_rest(market, aggregates, **options):
    """Serve the past on a free port of this machine."""
    venue = RestVenue(market, aggregates, **options)
    application = web.Application()
    application.router.add_get(ENDPOINTS[market].rest_path + "/{name}", venue.answer)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    venue.url = f"http://127.0.0.1:{site._server.sockets[0].getsockname()[1]}"
    try:
        yield venue
    finally:
        await runner.cleanup()
