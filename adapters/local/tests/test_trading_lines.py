"""Requests about orders as messages of connections that stand: what breaks them, what they are used for."""

import asyncio

import aiohttp
import msgspec
import pytest
from aiohttp import web

from support.local_venue import CALM, GRANTS, KEY, serving, terms
from tradecore.domain.venue_requests import Cancel, Lost, NotDone, Submit, Taken
from tradecore.testkit.local_venue import Endpoint, FaultKind, FaultRule
from tradecore.testkit.local_venue.records import OrderRow
from tradecore_local import trading_lines
from tradecore_local.client import new_session
from tradecore_local.server import LocalVenueServer
from tradecore_local.trading_lines import TradingLines

BODY = (
    b'{"client_order_id":"a","symbol":"BTC-USD","side":"buy",'
    b'"kind":"limit","price":"50000.00","quantity":"0.01"}'
)


def submit(name: str) -> Submit:
    """Make a request for an order that rests."""
    return Submit(client_order_id=name, order=terms(), lots=10)


def orders(ground) -> int:
    """Return how many orders a venue took."""
    return sum(isinstance(deed, OrderRow) for deed in ground.server.exchange.truth)


def lines(ground) -> int:
    """Return how many connections a venue has."""
    return len(ground.server._sockets)


async def test_a_request_after_another_uses_the_same_connection_and_many_at_once_use_many():
    """Nobody waits for the answer to somebody else."""
    late = FaultRule(kind=FaultKind.ANSWER_LATE, endpoint=Endpoint.SUBMIT, counts=(3,), delay_ms=500)
    async with serving(CALM, late) as ground:
        client = await ground.client()
        for name in "ab":
            await client.submit(submit(name))
        assert lines(ground) == 1
        slow = asyncio.create_task(client.submit(submit("c")))
        await asyncio.sleep(0.1)
        assert isinstance(await client.submit(submit("d")), Taken)
        assert not slow.done()
        assert isinstance(await slow, Taken)
        assert lines(ground) == 2
        found = await asyncio.gather(*(client.submit(submit(f"e{each}")) for each in range(20)))
        assert {type(each) for each in found} == {Taken}
        assert lines(ground) == 20
        await client.aclose()
        await asyncio.sleep(0.2)
        assert lines(ground) == 0


async def test_the_connections_of_a_burst_are_closed_once_fewer_are_enough(monkeypatch):
    """Each takes memory of the venue, and an open file on both sides."""
    monkeypatch.setattr(trading_lines, "_IDLE_SECONDS_MAX", 0.2)
    async with serving(CALM) as ground:
        client = await ground.client()
        await asyncio.gather(*(client.submit(submit(f"a{each}")) for each in range(20)))
        assert lines(ground) == 20
        for each in range(20):
            assert isinstance(await client.submit(submit(f"b{each}")), Taken)
        assert lines(ground) == 20
        await asyncio.sleep(0.3)
        for each in range(19):
            assert isinstance(await client.submit(submit(f"c{each}")), Taken)
        await asyncio.sleep(0.2)
        assert lines(ground) == 1
        await client.aclose()
        await asyncio.sleep(0.2)
        assert lines(ground) == 0


async def test_what_breaks_with_one_request_leaves_the_others_whole():
    """Four are under way when the answer to one is lost."""
    faults = [
        FaultRule(kind=FaultKind.ANSWER_LATE, endpoint=Endpoint.SUBMIT, counts=(1, 2, 4), delay_ms=300),
        FaultRule(kind=FaultKind.ANSWER_LOST, endpoint=Endpoint.SUBMIT, counts=(3,)),
    ]
    async with serving(CALM, *faults) as ground:
        client = await ground.client()
        tasks = [asyncio.create_task(client.submit(submit(name))) for name in "abcd"]
        found = await asyncio.gather(*tasks)
        assert sorted(type(each).__name__ for each in found) == ["Lost", "Taken", "Taken", "Taken"]
        await client.aclose()


async def test_a_connection_that_ended_while_it_was_idle_is_not_used():
    """A venue that was started anew loses no request: the first one goes over a new connection."""
    async with serving(CALM) as ground:
        client = await ground.client()
        await asyncio.gather(*(client.submit(submit(f"a{each}")) for each in range(5)))
        for socket in list(ground.server._sockets):
            await socket.close(code=1001)
        await asyncio.sleep(0.1)
        assert isinstance(await client.submit(submit("b")), Taken)
        assert isinstance(await client.cancel(Cancel(client_order_id="b", instrument=0)), Taken)
        await client.aclose()


async def test_without_a_venue_nothing_is_done_and_with_one_again_all_goes_on():
    """That no connection stands is a proof that no byte has left."""
    async with serving(CALM) as ground:
        client = await ground.client(timeout_seconds=0.5)
        assert isinstance(await client.submit(submit("a")), Taken)
        port, server = ground.server._ports[0], ground.server
        await server.__aexit__(None, None, None)
        assert isinstance(await client.submit(submit("b")), NotDone)
        async with LocalVenueServer(CALM, GRANTS, ground.clock, port=port):
            assert isinstance(await client.submit(submit("b")), Taken)
        await client.aclose()


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        ("", "no_such_request"),
        ("[]", "no_such_request"),
        ("\x00\x01", "no_such_request"),
        ('{"id":1}', "no_such_request"),
        ('{"id":1,"method":"GET","target":"/truth","headers":{},"body":{}}', "no_such_request"),
        ('{"id":1,"method":"GET","target":"/orders","headers":{},"body":{}}', "no_such_request"),
        ('{"id":1,"method":"POST","target":"/orders?x=1","headers":{},"body":{}}', "no_such_request"),
        ('{"id":1,"method":"POST","target":"/orders","headers":{},"body":{},"more":1}', "no_such_request"),
        ('{"id":1,"method":"POST","target":"/orders","headers":{},"body":{}}', "unknown_key"),
    ],
)
async def test_a_message_that_is_no_request_of_somebody_who_may_is_refused(sent, code):
    """The connection stands, and the next request is answered."""
    async with serving(CALM) as ground, aiohttp.ClientSession() as session:
        socket = await session.ws_connect(f"{ground.server.url}/trade")
        await socket.send_str(sent)
        answer = msgspec.json.decode((await socket.receive()).data)
        assert (answer["status"] >= 400, answer["body"]["code"]) == (True, code)
        assert orders(ground) == 0
        headers = KEY.headers("POST", "/orders", BODY, time_ns=ground.clock.now_ns(), nonce="n")
        request = {"id": 2, "method": "POST", "target": "/orders", "headers": headers}
        await socket.send_bytes(msgspec.json.encode(request | {"body": msgspec.Raw(BODY)}))
        assert msgspec.json.decode((await socket.receive()).data)["status"] == 200
        assert orders(ground) == 1
        # What was signed for one order is no order a second time, and no other one.
        for body in (BODY, BODY.replace(b"0.01", b"0.02")):
            await socket.send_bytes(msgspec.json.encode(request | {"body": msgspec.Raw(body)}))
            assert msgspec.json.decode((await socket.receive()).data)["status"] >= 400
        assert orders(ground) == 1
        await socket.close()


@pytest.mark.parametrize(
    "answer",
    [
        '{"id":9,"status":200,"headers":{},"body":{"order":{}}}',
        '{"id":1,"status":200}',
        '{"id":1,"status":200,"headers":{},"body":{"order":{}}}',
        "[]",
        "",
        b"\xff\xfe",
        '{"x":' + "[" * 100_000,
    ],
)
async def test_an_answer_that_makes_no_sense_proves_nothing(answer):
    """Neither does one that names another request."""

    async def serve(request):
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        async for _ in socket:
            await (socket.send_bytes if isinstance(answer, bytes) else socket.send_str)(answer)
        return socket

    server = web.ServerRunner(web.Server(serve))
    await server.setup()
    site = web.TCPSite(server, "127.0.0.1", 0)
    await site.start()
    session = new_session()
    asked = TradingLines(session, f"http://127.0.0.1:{server.addresses[0][1]}/trade", timeout_seconds=1)
    assert isinstance(await asked.ask("POST", "/orders", {}, BODY), Lost)
    await asked.aclose()
    await session.close()
    await server.cleanup()
