"""Each fault once, over real sockets: what it does at the venue, and what the client makes of it."""

import asyncio
from contextlib import aclosing

import msgspec
import pytest

from support.local_venue import CALM, DEMO, serving, terms
from tradecore.domain.errors import VenueError
from tradecore.domain.venue_capabilities import DuplicateIds
from tradecore.domain.venue_findings import (
    BalanceSeen,
    FillSeen,
    FillsSince,
    NotUnderstood,
    OneOrder,
    OpenOrders,
    OrderSeen,
    StreamLost,
    StreamReady,
)
from tradecore.domain.venue_requests import Cancel, Declined, Lost, NotDone, Replace, Submit, Taken
from tradecore.runtime.live.pages import whole
from tradecore.testkit.local_venue import Endpoint, FaultKind, FaultRule

SECOND_NS = 1_000_000_000
SHORT = 0.4


def rule(kind: FaultKind, endpoint: Endpoint = Endpoint.SUBMIT, count: int = 1, **more) -> FaultRule:
    """Make a rule that happens once."""
    return FaultRule(kind=kind, endpoint=endpoint, counts=(count,), **more)


def submit(name: str = "a", **changes) -> Submit:
    """Make a request for an order that rests."""
    return Submit(client_order_id=name, order=terms(**changes), lots=10)


@pytest.mark.parametrize(
    ("fault", "answer", "has_effect"),
    [
        (rule(FaultKind.REQUEST_LOST), Lost, False),
        (rule(FaultKind.ANSWER_LOST), Lost, True),
        (rule(FaultKind.REQUEST_LATE, delay_ms=700), Lost, True),
        (rule(FaultKind.REQUEST_LATE, delay_ms=50), Taken, True),
        (rule(FaultKind.ANSWER_LATE, delay_ms=700), Lost, True),
        (rule(FaultKind.ANSWER_LATE, delay_ms=50), Taken, True),
        (rule(FaultKind.REQUEST_DOUBLED), Lost, True),
        (rule(FaultKind.REQUEST_REORDERED, delay_ms=50), Taken, True),
        (rule(FaultKind.TOO_MANY_REQUESTS, retry_after_seconds=7), NotDone, False),
        (rule(FaultKind.SERVER_ERROR), Lost, False),
        (rule(FaultKind.SERVER_ERROR, takes_effect=True), Lost, True),
        (rule(FaultKind.HALF_OPEN), Lost, False),
        (rule(FaultKind.HTML_PAGE, status=502), Lost, True),
        (rule(FaultKind.TRUNCATED_JSON), Lost, True),
        (rule(FaultKind.CLOCK_SKEW, delay_ms=-9_000), NotDone, False),
        (rule(FaultKind.CLOCK_SKEW, delay_ms=2_000), Taken, True),
    ],
    ids=lambda value: value.kind.value if isinstance(value, FaultRule) else None,
)
@pytest.mark.parametrize("over_sockets", [True, False], ids=["socket", "http"])
async def test_a_fault_at_an_order_is_classified_by_what_it_proves(fault, answer, has_effect, over_sockets):
    """`Lost` proves nothing; after any other answer the venue is as it says. The next order is taken."""
    async with serving(CALM, fault) as ground:
        client = await ground.client(timeout_seconds=SHORT, over_sockets=over_sockets)
        found = await client.submit(submit())
        await asyncio.sleep(SHORT)

        assert isinstance(found, answer), found
        opened = ground.server.exchange.find("demo", client_order_id="a")
        assert len(opened) == has_effect
        if isinstance(found, NotDone) and fault.kind is FaultKind.TOO_MANY_REQUESTS:
            assert found.retry_after_ns == 7 * SECOND_NS
        assert isinstance(await client.submit(submit("b")), Taken)
        assert [(seen.kind, seen.count) for seen in ground.server.faults.seen] == [(fault.kind, 1)]
        await client.aclose()


@pytest.mark.parametrize("ids", list(DuplicateIds))
async def test_an_order_that_arrives_twice_is_two_where_the_venue_lets_it(ids):
    """A proxy that sends again doubles an order at a venue that takes an id twice."""
    settings = msgspec.structs.replace(CALM, duplicate_ids=ids)
    async with serving(settings, rule(FaultKind.REQUEST_DOUBLED)) as ground:
        client = await ground.client()
        await client.submit(submit())

        doubles = {DuplicateIds.ACCEPTED, DuplicateIds.NONE}
        assert len(ground.server.exchange.accounts["demo"].open_orders) == (2 if ids in doubles else 1)
        await client.aclose()


async def test_a_late_request_takes_no_effect_once_its_timestamp_is_too_old():
    """So absence is a proof after the validity window."""
    settings = msgspec.structs.replace(CALM, validity_window_ns=SECOND_NS // 10)
    async with serving(settings, rule(FaultKind.REQUEST_LATE, delay_ms=300)) as ground:
        client = await ground.client()
        assert client.capabilities.validity_window_ns == SECOND_NS // 10

        assert isinstance(await client.submit(submit()), NotDone)
        assert ground.server.exchange.find("demo", client_order_id="a") == []
        await client.aclose()


async def test_a_request_is_overtaken_by_the_next_one():
    """Two orders sent one after the other arrive the other way round."""
    async with serving(CALM, rule(FaultKind.REQUEST_REORDERED)) as ground:
        client = await ground.client()
        first = asyncio.create_task(client.submit(submit("first")))
        await asyncio.sleep(0.1)
        second = await client.submit(submit("second"))
        both = (await first, second)

        assert [answer.venue_order_id for answer in both] == ["2", "1"]
        await client.aclose()


async def test_faults_at_cancels_and_amendments_are_classified_too():
    """A cancel that was done twice is an unknown order the second time."""
    faults = (
        rule(FaultKind.ANSWER_LOST, Endpoint.REPLACE),
        rule(FaultKind.REQUEST_DOUBLED, Endpoint.CANCEL),
        rule(FaultKind.REQUEST_LOST, Endpoint.CANCEL, 2),
    )
    async with serving(CALM, *faults) as ground:
        client = await ground.client()
        for name in ("a", "b"):
            await client.submit(submit(name))
        replaced = await client.replace(Replace(client_order_id="a", instrument=0, open_lots=5))
        doubled = await client.cancel(Cancel(client_order_id="a", instrument=0))
        lost = await client.cancel(Cancel(client_order_id="b", instrument=0))

        assert (type(replaced), type(doubled), type(lost)) == (Lost, Declined, Lost)
        (first,), (second,) = [ground.server.exchange.find("demo", client_order_id=name) for name in "ab"]
        assert (first.lots, first.state.value, second.state.value) == (5, "canceled", "open")
        await client.aclose()


@pytest.mark.parametrize(
    "fault",
    [
        rule(FaultKind.REQUEST_LOST, Endpoint.OPEN_ORDERS),
        rule(FaultKind.ANSWER_LATE, Endpoint.OPEN_ORDERS, delay_ms=700),
        rule(FaultKind.TOO_MANY_REQUESTS, Endpoint.OPEN_ORDERS),
        rule(FaultKind.SERVER_ERROR, Endpoint.OPEN_ORDERS),
        rule(FaultKind.HALF_OPEN, Endpoint.OPEN_ORDERS),
        rule(FaultKind.HTML_PAGE, Endpoint.OPEN_ORDERS),
        rule(FaultKind.TRUNCATED_JSON, Endpoint.OPEN_ORDERS),
    ],
    ids=lambda fault: fault.kind.value,
)
async def test_a_question_without_an_answer_is_an_error_and_no_evidence(fault):
    """The next one is answered."""
    async with serving(CALM, fault) as ground:
        client = await ground.client(timeout_seconds=SHORT)
        await client.submit(submit())
        with pytest.raises(VenueError):
            await client.query(OpenOrders())

        assert len((await client.query(OpenOrders())).seen) == 1
        await client.aclose()


async def test_an_empty_list_lies_and_the_other_endpoint_does_not():
    """Empty is no proof: it takes a second endpoint, and a second time."""
    async with serving(CALM, rule(FaultKind.EMPTY_LIST, Endpoint.OPEN_ORDERS)) as ground:
        client = await ground.client()
        await client.submit(submit())

        lie = await client.query(OpenOrders())
        assert (lie.seen, lie.is_complete) == ((), True)
        (found,) = (await client.query(OneOrder(client_order_id="a", instrument=0))).seen
        assert found.open_lots == 10
        assert len((await client.query(OpenOrders())).seen) == 1
        await client.aclose()


async def test_a_partial_list_says_that_it_is_partial():
    """Nothing follows from what is not in it."""
    async with serving(CALM, rule(FaultKind.PARTIAL_PAGE, Endpoint.OPEN_ORDERS)) as ground:
        client = await ground.client()
        for number in range(5):
            await client.submit(submit(f"a{number}"))
        half = await client.query(OpenOrders())

        assert (len(half.seen), half.is_complete) == (2, False)
        await client.aclose()


async def test_a_venue_that_shows_fills_for_a_while_says_for_how_long():
    """What is older is not in its list, and a client can know that."""
    settings = msgspec.structs.replace(DEMO, fills_kept_ns=SECOND_NS // 5)
    async with serving(settings) as ground:
        client = await ground.client()
        assert client.capabilities.fills_kept_ns == SECOND_NS // 5
        await client.submit(submit("a", order_kind="market", price_ticks=None))
        assert (await client.query(FillsSince(time_ns=0))).seen
        await asyncio.sleep(0.3)
        assert (await client.query(FillsSince(time_ns=0))).seen == ()
        assert ground.server.exchange.accounts["demo"].fills
        await client.aclose()


@pytest.mark.parametrize("fault", [None, rule(FaultKind.PARTIAL_PAGE, Endpoint.FILLS, 2)])
async def test_trades_are_read_page_by_page_until_the_last_one(fault):
    """A page that was cut is no end: the next one begins where it broke off."""
    settings = msgspec.structs.replace(DEMO, page_max=7)
    async with serving(settings, *([fault] if fault else [])) as ground:
        client = await ground.client()
        for number in range(30):
            await client.submit(submit(f"a{number}", order_kind="market", price_ticks=None))
        fills = ground.server.exchange.accounts["demo"].fills
        first = await client.query(FillsSince(time_ns=0))
        found = await whole(FillsSince(time_ns=0), client.query)
        later = await whole(FillsSince(time_ns=0, cursor=found.seen[9].cursor), client.query)

        assert (first.is_complete, first.rest) == (False, first.seen[-1].cursor)
        assert len(first.seen) <= 7
        assert found.is_complete
        assert [int(row.cursor) for row in found.seen] == [row.cursor for row in fills]
        assert len({row.trade_id for row in found.seen}) == len(fills) >= 30
        assert later.seen == found.seen[10:]
        await client.aclose()


async def told(ground, client, *, orders: int = 3, seconds: float = 0.4):
    """Read the stream while some orders trade; return what it told."""
    seen = []
    is_ready = asyncio.Event()

    async def read() -> None:
        async with aclosing(client.reports()) as reports:
            async for message in reports:
                seen.append(message)
                if isinstance(message, StreamReady):
                    is_ready.set()

    reader = asyncio.create_task(read())
    await asyncio.wait_for(is_ready.wait(), 5)
    for number in range(orders):
        answer = await client.submit(
            Submit(client_order_id=f"t{number}", order=terms(order_kind="market", price_ticks=None), lots=1)
        )
        assert isinstance(answer, Taken)
    await asyncio.sleep(seconds)
    await client.aclose()
    await asyncio.wait_for(reader, 2)
    return seen


def names(seen) -> list[str]:
    """Return the cursors of the trades that were told."""
    return [message.cursor for message in seen if isinstance(message, FillSeen)]


def losses(seen) -> list[str]:
    """Return why the stream was lost."""
    return [message.words for message in seen if isinstance(message, StreamLost)]


async def test_without_a_fault_everything_is_told_once():
    """In the order in which it happened."""
    async with serving() as ground:
        seen = await told(ground, await ground.client())

        assert names(seen) == [str(row.cursor) for row in ground.server.exchange.accounts["demo"].fills]
        assert losses(seen) == []
        assert {type(message) for message in seen} == {StreamReady, OrderSeen, FillSeen, BalanceSeen}


@pytest.mark.parametrize(
    ("kind", "cursors", "lost", "odd"),
    [
        (FaultKind.FRAME_UNSENT, ["1", "3"], 0, 0),
        (FaultKind.FRAME_LOST, ["1", "3"], 1, 0),
        (FaultKind.FRAME_DOUBLED, ["1", "2", "2", "3"], 0, 0),
        (FaultKind.FRAME_SWAPPED, ["1", "2", "3"], 1, 0),
        (FaultKind.FRAME_LATE, ["1", "2", "3"], 0, 0),
        (FaultKind.FRAME_GARBLED, ["1", "3"], 1, 1),
    ],
)
async def test_a_fault_of_a_frame_is_seen_unless_no_number_is_missing(kind, cursors, lost, odd):
    """A fill that was never sent can only be found by asking; a gap in the numbers says so at once."""
    fault = rule(kind, Endpoint.STREAM_FILL, 2, delay_ms=50)
    async with serving(DEMO, fault) as ground:
        seen = await told(ground, await ground.client())

        assert names(seen) == cursors
        assert len(losses(seen)) == lost
        assert len([message for message in seen if isinstance(message, NotUnderstood)]) == odd
        assert len(ground.server.exchange.accounts["demo"].fills) == 3
        for at, message in enumerate(seen):
            if isinstance(message, StreamLost):
                assert isinstance(seen[at + 1], StreamReady)


@pytest.mark.parametrize("kind", [FaultKind.DISCONNECT, FaultKind.SILENCE])
@pytest.mark.parametrize("endpoint", [Endpoint.STREAM, Endpoint.STREAM_FILL])
async def test_a_stream_that_breaks_or_falls_silent_is_lost_and_stands_again(kind, endpoint):
    """Silence is noticed, because a stream that lives has heartbeats."""
    async with serving(DEMO, rule(kind, endpoint), heartbeat_seconds=0.1) as ground:
        client = await ground.client(silence_seconds_max=0.8)
        seen = await told(ground, client, orders=1 if endpoint is Endpoint.STREAM_FILL else 0, seconds=2.0)

        states = [type(message) for message in seen if isinstance(message, StreamLost | StreamReady)]
        expected = [StreamReady, StreamLost, StreamReady]
        assert states in (expected, expected[1:])


async def test_heartbeats_keep_a_quiet_stream_alive():
    """Nothing happens for longer than the silence that is borne."""
    async with serving(CALM, heartbeat_seconds=0.1) as ground:
        client = await ground.client(silence_seconds_max=0.8)
        seen = await told(ground, client, orders=0, seconds=2.0)

        assert [type(message) for message in seen] == [StreamReady]
        assert 2 <= client._reports._number <= 25


async def test_every_stream_that_was_lost_comes_back_and_no_trade_is_missed_by_asking():
    """Thirty disconnects; what the stream did not tell, the question does."""
    faults = FaultRule(
        kind=FaultKind.DISCONNECT, endpoint=Endpoint.STREAM_FILL, probability_ppm=500_000, times_max=30
    )
    async with serving(DEMO, faults, seed=5) as ground:
        client = await ground.client()
        cursors: set[str] = set()
        lost = 0

        async def read() -> None:
            nonlocal lost
            async with aclosing(client.reports()) as reports:
                async for message in reports:
                    lost += isinstance(message, StreamLost)
                    if isinstance(message, FillSeen):
                        cursors.add(message.cursor)
                    if isinstance(message, StreamReady):
                        found = await whole(FillsSince(time_ns=0), client.query)
                        cursors.update(row.cursor for row in found.seen)

        reader = asyncio.create_task(read())
        for number in range(150):
            market = terms(order_kind="market", price_ticks=None)
            await client.submit(Submit(client_order_id=f"t{number}", order=market, lots=1))
            await asyncio.sleep(0.01)
        await asyncio.sleep(1.0)
        fills = ground.server.exchange.accounts["demo"].fills
        await client.aclose()
        await reader

        assert lost == len(ground.server.faults.seen) >= 20
        assert cursors == {str(row.cursor) for row in fills}


async def test_what_is_under_way_when_the_client_closes_is_lost():
    """And a request after that proves that it was not sent."""
    async with serving(CALM, rule(FaultKind.HALF_OPEN)) as ground:
        client = await ground.client(timeout_seconds=5.0)
        under_way = asyncio.create_task(client.submit(submit()))
        await asyncio.sleep(0.1)
        await client.aclose()

        assert isinstance(await asyncio.wait_for(under_way, 1), Lost)
        assert isinstance(await client.submit(submit("b")), NotDone)


async def test_a_venue_that_is_gone_is_no_connection_and_so_a_proof():
    """No byte left, and the stream says that it is lost."""
    async with serving(CALM) as ground:
        client = await ground.client()
    # The connection that the client kept is closed by now.
    await asyncio.sleep(0.1)
    answer = await client.submit(submit())
    lost = await anext(client.reports())

    assert isinstance(answer, NotDone)
    assert isinstance(lost, StreamLost)
    await client.aclose()


async def test_a_venue_ends_within_a_second_whatever_hangs_on_it():
    """Streams, markets, a request that is never answered and a late one."""
    loop = asyncio.get_running_loop()
    faults = (
        rule(FaultKind.HALF_OPEN),
        rule(FaultKind.REQUEST_LATE, count=2, delay_ms=60_000),
        rule(FaultKind.SILENCE, Endpoint.STREAM),
    )
    async with serving(DEMO, *faults) as ground:
        client = await ground.client(timeout_seconds=30.0)
        reports = client.reports()
        await anext(reports)
        tasks = [asyncio.create_task(client.submit(submit(name))) for name in "ab"]
        await asyncio.sleep(0.2)
        begin = loop.time()
    took = loop.time() - begin
    answers = await asyncio.wait_for(asyncio.gather(*tasks), 2)
    await client.aclose()

    assert took < 1.0
    assert all(isinstance(answer, Lost) for answer in answers)


async def test_an_order_without_a_name_of_a_client_is_known_by_that_of_the_venue():
    """Others may give none: it is found and ended all the same."""
    async with serving(CALM) as ground:
        client = await ground.client()
        await client.submit(submit())
        ((order,),) = [(await client.query(OpenOrders())).seen]
        asked = OneOrder(client_order_id="", venue_order_id=order.venue_order_id, instrument=0)
        assert (await client.query(asked)).seen == (order,)
        ended = Cancel(client_order_id="", venue_order_id=order.venue_order_id, instrument=0)
        assert isinstance(await client.cancel(ended), Taken)
        assert (await client.query(OpenOrders())).seen == ()
        await client.aclose()
