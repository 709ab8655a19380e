"""Whatever comes over the wire becomes an answer or a message, never a fault of ours."""

import asyncio

import msgspec
from aiohttp import ClientSession
from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

from support.local_venue import CALM, GRANTS, KEY
from tradecore.domain.venue_findings import Message
from tradecore.domain.venue_requests import Answer
from tradecore.testkit.local_venue import Access, LocalExchange
from tradecore_local import wire
from tradecore_local.answers import answer_of
from tradecore_local.reports import Reports
from tradecore_local.server.desk import Asked, Moment, RequestDesk, route_of
from tradecore_local.server.words import Words
from tradecore_local.translation import Translation

NOW_NS = 1_700_000_000_000_000_000
json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=8,
)
numbers = st.from_regex(r"-?[0-9]{0,30}(\.[0-9]{0,20})?([eE][-+]?[0-9]{1,9})?", fullmatch=True) | st.text(
    max_size=9
)
orders = st.fixed_dictionaries(
    {
        "symbol": st.sampled_from(["BTC-USD", "ETH-USD", "", "X"]),
        "side": st.sampled_from(["buy", "sell", "up"]),
        "kind": st.sampled_from(["limit", "market", "stop"]),
        "quantity": numbers,
    },
    optional={
        "client_order_id": st.text(max_size=40),
        "price": numbers,
        "time_in_force": st.sampled_from(["gtc", "ioc", "fok", "gtd", "day"]),
        "expire_ns": st.integers(),
        "post_only": st.booleans(),
        "reduce_only": st.booleans(),
    },
)
names = st.fixed_dictionaries(
    {},
    optional={
        "client_order_id": st.text(max_size=9),
        "venue_order_id": numbers,
        "quantity": numbers,
        "price": numbers,
    },
)
bodies = st.binary(max_size=60) | (json | orders | names).map(msgspec.json.encode)
targets = st.sampled_from(
    [
        "/orders",
        "/orders/open",
        "/fills",
        "/positions",
        "/balances",
        "/time",
        "/rules",
        "/orders/a",
        "/orders/%ff",
    ]
) | st.text(st.characters(max_codepoint=126, min_codepoint=33), max_size=20).map("/orders/".__add__)
queries = st.just("") | st.text(st.characters(max_codepoint=126, min_codepoint=33), max_size=20).map(
    "?".__add__
)


@given(
    asks=st.lists(
        st.tuples(st.sampled_from(["GET", "POST", "PATCH", "DELETE"]), targets, queries, bodies), max_size=8
    )
)
def test_any_request_gets_an_answer(asks):
    """200 or a refusal in words; what is refused changes nothing."""
    exchange = LocalExchange(CALM, start_ns=NOW_NS)
    access = Access(validity_window_ns=10**9, limits=CALM.limits)
    for grant in GRANTS:
        access.add(grant.key.key_id, grant.account, grant.rights)
    desk = RequestDesk(exchange, access, {grant.key.key_id: grant.key.secret for grant in GRANTS})
    for number, (method, target, query, body) in enumerate(asks):
        route = route_of(method, target)
        if route is None:
            continue
        before = len(exchange.truth)
        headers = KEY.headers(method, target + query, body, time_ns=NOW_NS, nonce=str(number))
        asked = Asked(method=method, target=target + query, headers=headers, body=body)
        reply = desk.answer(route, asked, Moment(now_ns=NOW_NS, clock_ns=NOW_NS))

        assert reply.status in {200, 400, 404, 409}
        if reply.status != 200:
            assert msgspec.json.decode(reply.body, type=wire.Problem).words
            assert len(exchange.truth) == before


@given(status=st.integers(0, 999), body=bodies, header=st.text(max_size=12))
def test_any_answer_is_classified(status, body, header):
    """As one of the four."""
    assert isinstance(answer_of(status, {"Retry-After": header}, body), Answer)


told = st.fixed_dictionaries(
    {"kind": st.sampled_from(["order", "fill", "balance", "ready", "heartbeat", "x"])},
    optional={
        name: st.text(max_size=5) | numbers
        for name in (*wire.Order.__struct_fields__, *wire.Fill.__struct_fields__, "currency", "total", "free")
    }
    | {"time_ns": st.integers(0, 2**63 - 1)},
)
frames = st.lists(
    st.fixed_dictionaries({"n": st.integers(-(2**63), 2**63 - 1), "is": told}) | json, max_size=5
)


@given(texts=st.lists(frames.map(msgspec.json.encode) | bodies, max_size=6))
def test_any_frame_becomes_a_message(texts):
    """What makes no sense is kept whole for people."""

    async def read() -> None:
        rules = Words(LocalExchange(CALM, start_ns=NOW_NS)).rules(LocalExchange(CALM, start_ns=NOW_NS))
        translation = Translation([market.instrument for market in CALM.markets], rules)
        async with ClientSession() as session:
            waits = {"random": float, "backoff_first_ns": 1, "backoff_last_ns": 1}
            reports = Reports(session, URL(), dict, translation, None, silence_seconds_max=1.0, **waits)
            for text in texts:
                assert all(isinstance(message, Message) for message in reports.understood(text))

    asyncio.run(read())
