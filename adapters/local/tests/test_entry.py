"""Who is let in over real sockets: signatures, windows, nonces, rights and weights."""

import asyncio

import aiohttp
import msgspec
import pytest
from yarl import URL

from support.local_venue import CALM, CANCEL_KEY, KEY, QUERY_KEY, TRUTH_KEY, serving, terms
from tradecore.domain.errors import InvalidValueError, VenueError
from tradecore.domain.secret import Secret
from tradecore.domain.spec import InstrumentSpec
from tradecore.domain.venue_findings import Balances, OpenOrders, StreamLost
from tradecore.domain.venue_requests import Cancel, Declined, NotDone, Submit, Taken
from tradecore_local import Key
from tradecore_local.client import LocalVenue, new_session
from tradecore_local.server import KeyGrant, LocalVenueServer

SECOND_NS = 1_000_000_000


async def ask(
    ground, path="/balances", *, key=KEY, method="GET", body=b"", signed_path=None, nonce="n", **other
):
    """Send a request as it is told; return status and code."""
    time_ns = other.get("time_ns", ground.clock.now_ns())
    headers = key.headers(
        method, signed_path or path, other.get("signed_body", body), time_ns=time_ns, nonce=nonce
    )
    headers |= other.get("headers", {})
    async with (
        aiohttp.ClientSession() as session,
        session.request(
            method, URL(f"{ground.server.url}{path}", encoded=True), data=body, headers=headers
        ) as response,
    ):
        content = await response.read()
        found = msgspec.json.decode(content) if content else {}
        return response.status, found.get("code", ""), response.headers


async def test_every_part_of_a_request_is_signed():
    """A change of path, query, body, time, nonce or name of the key is a wrong signature."""
    async with serving(CALM) as ground:
        assert (await ask(ground))[0] == 200
        for changes in (
            {"path": "/positions", "signed_path": "/balances"},
            {"path": "/fills?since=1", "signed_path": "/fills?since=0"},
            {"path": "/orders", "method": "POST", "body": b"{}", "signed_body": b"{ }"},
            {"headers": {"X-Timestamp": str(ground.clock.now_ns())}},
            {"headers": {"X-Nonce": "another"}},
            {"headers": {"X-Signature": ""}},
            {"headers": {"X-Key": CANCEL_KEY.key_id}},
            {"key": Key(key_id=KEY.key_id, secret=Secret("another"))},
        ):
            assert (await ask(ground, **changes))[:2] == (401, "wrong_signature"), changes
        assert (await ask(ground, headers={"X-Key": "nobody"}))[:2] == (401, "unknown_key")


async def test_a_timestamp_is_within_the_window_and_a_nonce_is_used_once():
    """A clock that is wrong is refused, and a request that somebody sends again."""
    async with serving(CALM) as ground:
        now_ns = ground.clock.now_ns()
        for off_ns in (-6 * SECOND_NS, 6 * SECOND_NS):
            assert (await ask(ground, time_ns=now_ns + off_ns))[:2] == (401, "outside_window")
        assert (await ask(ground, time_ns=now_ns))[0] == 200
        assert (await ask(ground, time_ns=now_ns))[:2] == (401, "nonce_used")
        assert (await ask(ground, headers={"X-Timestamp": "soon"}))[1] == "wrong_signature"


async def test_keys_have_rights_of_their_own(resting):
    """A watchdog cancels and asks, an auditor only asks, and nobody but a test reads the truth."""
    async with serving(CALM) as ground:
        trader, watchdog, auditor = [await ground.client(key) for key in (KEY, CANCEL_KEY, QUERY_KEY)]
        order = Submit(client_order_id="a", order=resting, lots=10)
        for client in (watchdog, auditor):
            answer = await client.submit(order)
            assert isinstance(answer, Declined)
            assert "no_right" in answer.words
            assert (await client.query(OpenOrders())).seen == ()
        assert isinstance(await trader.submit(order), Taken)
        assert isinstance(await auditor.cancel(Cancel(client_order_id="a", instrument=0)), Declined)
        assert isinstance(await watchdog.cancel(Cancel(client_order_id="a", instrument=0)), Taken)
        assert (await ask(ground, "/truth"))[:2] == (403, "no_right")
        assert (await ask(ground, "/truth", key=TRUTH_KEY))[0] == 200
        assert (await ask(ground, "/balances", key=TRUTH_KEY))[:2] == (403, "no_right")
        for client in (trader, watchdog, auditor):
            await client.aclose()


async def test_weights_are_taken_and_told_and_run_out(resting):
    """429 with `Retry-After`, and nothing happened; the client says so."""
    limits = msgspec.structs.replace(CALM.limits, per_second=1, burst=12)
    async with serving(msgspec.structs.replace(CALM, limits=limits)) as ground:
        status, _, headers = await ask(ground, "/orders/open")
        assert (status, headers["X-RateLimit-Limit"], headers["X-RateLimit-Remaining"]) == (200, "12", "7")
        client = await ground.client()
        answers = [
            await client.submit(Submit(client_order_id=f"a{n}", order=resting, lots=1)) for n in range(9)
        ]
        refused = [answer for answer in answers if isinstance(answer, NotDone)]

        assert 1 <= len(refused) <= 2
        assert refused[0].retry_after_ns == SECOND_NS
        assert len(ground.server.exchange.accounts["demo"].open_orders) == 9 - len(refused)
        with pytest.raises(VenueError, match="too many requests") as caught:
            await client.query(OpenOrders())
        assert caught.value.retry_after_ns >= SECOND_NS
        await client.aclose()


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/nowhere", b"", 404),
        ("PUT", "/orders", b"{}", 404),
        ("POST", "/orders", b"", 400),
        ("POST", "/orders", b"{", 400),
        ("POST", "/orders", b"\xff\xfe", 400),
        ("POST", "/orders", b'{"x":' + b"[" * 100_000, 400),
        ("POST", "/orders", b"[]", 400),
        ("POST", "/orders", b'{"symbol":"BTC-USD","side":"up","kind":"limit","quantity":"1"}', 400),
        ("POST", "/orders", b'{"symbol":"X","side":"buy","kind":"limit","quantity":"1"}', 400),
        ("POST", "/orders", b'{"symbol":"BTC-USD","side":"buy","kind":"limit","quantity":"nan"}', 400),
        ("POST", "/orders", b'{"symbol":"BTC-USD","side":"buy","kind":"limit","quantity":"1e999999"}', 400),
        ("POST", "/orders", b'{"symbol":"BTC-USD","side":"buy","kind":"limit","quantity":"0.00001"}', 400),
        ("DELETE", "/orders", b'{"client_order_id":7}', 400),
        ("DELETE", "/orders", b"{}", 400),
        ("DELETE", "/orders", b'{"venue_order_id":"-1"}', 400),
        ("DELETE", "/orders", b'{"client_order_id":"nobody"}', 404),
        ("PATCH", "/orders", b'{"client_order_id":"nobody","quantity":"1"}', 404),
        ("GET", "/fills?since=x", b"", 400),
        ("GET", "/fills?cursor=99999999999999999999", b"", 200),
        ("GET", "/orders/%2e%2e%2fopen", b"", 200),
    ],
)  # fmt: skip
async def test_whatever_is_asked_gets_an_answer_and_changes_nothing(method, path, body, status):
    """Bytes that make no sense are refused in words, never by a fault of ours."""
    async with serving(CALM) as ground:
        before = len(ground.server.exchange.truth)

        assert (await ask(ground, path, method=method, body=body))[0] == status
        assert len(ground.server.exchange.truth) == before


async def test_a_stream_is_signed_too():
    """A stream that is refused is a loss, again and again, and never a crash."""
    async with serving(CALM) as ground:
        client = await ground.client(Key(key_id=KEY.key_id, secret=Secret("another")))
        reports = client.reports()
        for _ in range(3):
            lost = await anext(reports)
            assert isinstance(lost, StreamLost)
            assert "401" in lost.words
        await client.aclose()
        with pytest.raises(StopAsyncIteration):
            await anext(reports)


async def test_no_error_holds_a_secret():
    """Whatever goes wrong, neither words nor representations name it."""
    shown = []
    async with serving(CALM) as ground:
        client = await ground.client(Key(key_id="nobody", secret=KEY.secret))
        shown.append(await client.submit(Submit(client_order_id="a", order=terms(), lots=1)))
        with pytest.raises(VenueError) as caught:
            await client.query(Balances())
        shown += [caught.value, caught.value.__cause__, vars(client), KEY, client._key]
        await client.aclose()
    with pytest.raises(VenueError) as caught:
        await LocalVenue.signed_by(ground.server.url, KEY, [], ground.clock)
    shown += [caught.value, caught.value.__cause__]

    assert all(KEY.secret.reveal() not in f"{each!r} {each}" for each in shown)


async def test_the_server_refuses_a_key_of_nobody_and_a_port_that_is_taken():
    """Both are said at once, with what to do."""
    async with serving(CALM) as ground:
        grant = KeyGrant(key=KEY, account="nobody", rights=frozenset())
        with pytest.raises(InvalidValueError, match="nobody"):
            LocalVenueServer(CALM, (grant,), ground.clock)
        port = int(ground.server.url.rpartition(":")[2])
        with pytest.raises(VenueError, match="name another --port"):
            async with LocalVenueServer(CALM, (), ground.clock, port=port):
                pass


async def test_instruments_that_the_venue_has_otherwise_are_refused():
    """A wrong multiplier would be wrong money; a wrong symbol an order to nowhere."""
    async with serving(CALM) as ground:
        spec = ground.instruments[0]
        for wrong in (
            InstrumentSpec(symbol="X", tick_size="1"),
            msgspec.structs.replace(spec, multiplier="2"),
        ):
            with pytest.raises(InvalidValueError):
                await LocalVenue.signed_by(ground.server.url, KEY, [wrong], ground.clock)


async def test_the_transport_sends_nothing_twice():
    """An idle connection that breaks under a DELETE makes aiohttp send it again, unless it is told not to."""
    requests = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while head := await reader.readuntil(b"\r\n\r\n"):
            requests.append(head.split(b" ")[0])
            if requests[-1] == b"DELETE":
                break
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with new_session() as session:
            async with session.get(url) as response:
                await response.read()
            with pytest.raises(aiohttp.ClientError):
                await session.delete(url)

    assert requests == [b"GET", b"DELETE"]


@pytest.mark.parametrize(
    "sent",
    [
        b"\x16\x03\x01 no HTTP\r\n\r\n",
        b"POST /orders HTTP/1.1\r\nContent-Length: 9\r\n\r\n",
        b"GET /" + b"a" * 100_000,
        b"POST /orders HTTP/1.1\r\nHost: a\r\nContent-Length: 5000000\r\n\r\n" + b"a" * 2_000_000,
        b"POST /orders HTTP/1.1\r\nHost: a\r\nContent-Length: 500\r\n\r\nabc",
        b"GET /stream HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n\r\n",
        b"GET /market HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n\r\n",
    ],
    ids=["tls", "no host", "long path", "long body", "short body", "no key", "no handshake"],
)
async def test_bytes_that_are_no_request_are_refused_without_a_word_in_the_log(sent, caplog):
    """Whoever sends them cannot fill a disk with tracebacks, and others are served."""
    async with serving(CALM) as ground:
        port = int(ground.server.url.rpartition(":")[2])
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(sent)
        if b"abc" not in sent:
            assert (await asyncio.wait_for(reader.read(12), 5))[:10] in {b"HTTP/1.1 4", b"HTTP/1.0 4"}
        writer.close()
        assert (await ask(ground))[0] == 200

    assert [record.message for record in caplog.records if record.levelname == "ERROR"] == []
