"""A live engine inside an aiohttp service. It answers 200 at /health while the engine may trade, else 503.

tradecore venue serve --keys venue-keys.json &
tradecore arm live.toml --by Ada
python examples/live_service.py live.toml 8080
"""

import asyncio
import sys
from collections.abc import AsyncIterator

from aiohttp import web

from tradecore_api.embedding import EmbeddedEngine

ENGINE = web.AppKey("engine", EmbeddedEngine)


async def health(request: web.Request) -> web.Response:
    engine = request.app[ENGINE]
    return web.json_response(engine.status(), status=200 if engine.is_ready else 503)


async def trade(service: web.Application) -> AsyncIterator[None]:
    running = asyncio.create_task(service[ENGINE].run())
    yield
    service[ENGINE].stop()
    print(await running)


service = web.Application()
service[ENGINE] = EmbeddedEngine(sys.argv[1])
service.router.add_get("/health", health)
service.cleanup_ctx.append(trade)
web.run_app(service, host="127.0.0.1", port=int(sys.argv[2]))
