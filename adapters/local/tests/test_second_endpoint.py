"""The endpoint of those who only ask: the same answers, faults of its own, and no way to change anything."""

import aiohttp
import msgspec
import pytest

from support.local_venue import CALM, KEY, QUERY_KEY, serving, terms
from tradecore.domain.errors import InvalidValueError, VenueError
from tradecore.domain.venue_findings import Balances, FillsSince, OneOrder, OpenOrders, Positions
from tradecore.domain.venue_keys import QueryKey
from tradecore.domain.venue_requests import Submit, Taken
from tradecore.testkit.local_venue import Endpoint, FaultKind, FaultRule, FaultScript
from tradecore_local.client import LocalVenue
from tradecore_local.queries import LocalVenueQueries

ALWAYS = {"probability_ppm": 1_000_000}


async def asking(ground, key=QUERY_KEY):
    """Return who asks at the second endpoint."""
    url, made = ground.server.query_url, QueryKey(key_id=key.key_id, secret=key.secret)
    return await LocalVenueQueries.connect(url, made, ground.instruments, ground.clock)


async def test_both_endpoints_show_the_same():
    """Orders, trades, positions and balances."""
    async with serving(CALM) as ground:
        venue, copy = await ground.client(), await asking(ground)
        try:
            order = Submit(client_order_id="a", order=terms(), lots=10)
            assert isinstance(await venue.submit(order), Taken)
            assert ground.server.query_url != ground.server.url
            assert copy.capabilities == venue.capabilities
            questions = (OpenOrders(), OneOrder(client_order_id="a", instrument=0), FillsSince(time_ns=0))
            for question in (*questions, Positions(), Balances()):
                ours, theirs = await venue.query(question), await copy.query(question)
                assert ours.seen == theirs.seen
                assert ours.time_ns < theirs.time_ns
        finally:
            await venue.aclose()
            await copy.aclose()


@pytest.mark.parametrize("key", [KEY, QUERY_KEY], ids=["trade", "query"])
async def test_nothing_can_be_changed_there_with_any_key(key):
    """No order, no stream, no truth: those paths are not there."""
    async with serving(CALM) as ground, aiohttp.ClientSession() as session:
        url = ground.server.query_url
        for method, path in (
            ("POST", "/orders"),
            ("DELETE", "/orders"),
            ("PATCH", "/orders"),
            ("GET", "/stream"),
            ("GET", "/trade"),
            ("GET", "/market"),
            ("GET", "/truth"),
            ("GET", "/truth/process"),
            ("POST", "/truth/trades"),
        ):
            headers = key.headers(method, path, b"{}", time_ns=ground.clock.now_ns(), nonce=f"{method}{path}")
            async with session.request(method, url + path, data=b"{}", headers=headers) as answer:
                assert answer.status == 404, (method, path)
        assert not ground.server.exchange.accounts["demo"].open_orders


async def test_each_endpoint_has_faults_of_its_own():
    """What goes wrong at one is not even counted at the other."""
    down = FaultRule(kind=FaultKind.SERVER_ERROR, endpoint=Endpoint.FILLS, **ALWAYS)
    async with serving(CALM, query_rules=[down]) as ground:
        venue, copy = await ground.client(), await asking(ground)
        try:
            assert (await venue.query(FillsSince(time_ns=0))).is_complete
            with pytest.raises(VenueError, match="503"):
                await copy.query(FillsSince(time_ns=0))
            assert (await copy.query(Balances())).seen
        finally:
            await venue.aclose()
            await copy.aclose()
        assert ground.server.faults.seen == []
        assert [each.endpoint for each in ground.server.query_faults.seen] == [Endpoint.FILLS]


async def test_an_old_answer_is_the_last_one_once_more():
    """To the byte, its time included; the first one cannot be old, and each question has its own."""
    old = FaultRule(kind=FaultKind.OLD_ANSWER, endpoint=Endpoint.OPEN_ORDERS, counts=(1, 3, 4))
    async with serving(CALM, query_rules=[old]) as ground:
        venue, copy = await ground.client(), await asking(ground)
        try:
            first = await copy.query(OpenOrders())
            await venue.submit(Submit(client_order_id="a", order=terms(), lots=10))
            second = await copy.query(OpenOrders())
            await venue.submit(Submit(client_order_id="b", order=terms(order_id=2), lots=10))
            third, fourth = await copy.query(OpenOrders()), await copy.query(OpenOrders())
            balances = await copy.query(Balances())
            fifth = await copy.query(OpenOrders())
        finally:
            await venue.aclose()
            await copy.aclose()
    assert [len(each.seen) for each in (first, second, third, fourth, fifth)] == [0, 1, 1, 1, 2]
    assert third == fourth == second
    assert balances.time_ns > second.time_ns


@pytest.mark.parametrize("endpoint", [Endpoint.SUBMIT, Endpoint.CANCEL, Endpoint.REPLACE])
def test_a_request_that_changes_something_has_no_old_answer(endpoint):
    """Nor is it known where one can only ask."""
    with pytest.raises(InvalidValueError, match="cannot happen at"):
        FaultRule(kind=FaultKind.OLD_ANSWER, endpoint=endpoint, counts=(1,))
    lost = FaultRule(kind=FaultKind.REQUEST_LOST, endpoint=endpoint, counts=(1,))
    with pytest.raises(InvalidValueError, match="must be a question"):
        FaultScript(query_rules=(lost,))


def test_a_script_is_read_with_both_kinds_of_rules():
    """As a file has them."""
    text = b'[[rules]]\nkind = "request_lost"\nendpoint = "submit"\ncounts = [1]\n'
    text += b'[[query_rules]]\nkind = "old_answer"\nendpoint = "fills"\ncounts = [2]\n'
    script = msgspec.toml.decode(text, type=FaultScript)
    assert [each.endpoint for each in script.of_queries.rules] == [Endpoint.FILLS]
    assert script.of_queries.query_rules == ()


async def test_a_port_that_is_taken_leaves_no_other_one_open():
    """Neither the endpoint of orders nor that of questions."""
    async with serving(CALM) as ground:
        taken = int(ground.server.query_url.rpartition(":")[2])
        with pytest.raises(VenueError, match="cannot listen"):
            async with serving(CALM, query_port=taken):
                pass
        venue = await LocalVenue.signed_by(ground.server.url, KEY, ground.instruments, ground.clock)
        await venue.aclose()
