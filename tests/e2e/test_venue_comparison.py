"""The comparison of books and venue finds what differs: each kind of it, by one unit or one order."""

import asyncio
from decimal import Decimal

import msgspec
import pytest

from support.embedded_live import INSTRUMENT, trading
from tradecore.domain.spec import InstrumentSpec
from tradecore.domain.venue_findings import VenueOrderState
from tradecore.testkit.local_venue.comparison import Truth, compare
from tradecore.testkit.local_venue.records import FillRow, OrderRow

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def traded(tmp_path_factory):
    """Return a journal, what the venue did, and what the engine said when everything was closed."""

    async def trade():
        async with trading(tmp_path_factory.mktemp("traded"), seed=5) as live:
            await live.until(lambda said: said["fills"] >= 8, seconds=40)
            said = await live.settled()
            return live.journal, live.truth(), Decimal(said["cash"])

    return asyncio.run(trade())


def compared(traded, *, truth=None, positions=None, cash=None):
    """Compare what was traded, with a change on one side."""
    journal, true, money = traded
    return compare(
        journal,
        truth or true,
        account="demo",
        instruments=[InstrumentSpec(**INSTRUMENT)],
        positions=positions or {"BTC-USD": Decimal(0)},
        cash=money if cash is None else cash,
    )


def changed(truth, kind, change):
    """Return what a venue did with its last deed of a kind changed; `None` leaves the deed out."""
    at = max(index for index, deed in enumerate(truth.deeds) if isinstance(deed, kind))
    made = change(truth.deeds[at])
    deeds = [*truth.deeds[:at], *([] if made is None else [made]), *truth.deeds[at + 1 :]]
    return msgspec.structs.replace(truth, deeds=tuple(deeds))


def with_more(truth, kind, **fields):
    """Return what a venue did with one more deed like the last one of a kind."""
    last = [deed for deed in truth.deeds if isinstance(deed, kind)][-1]
    more = msgspec.structs.replace(last, **fields)
    return msgspec.structs.replace(truth, deeds=(*truth.deeds, more))


def test_what_was_booked_is_what_the_venue_did(traded):
    """Nothing differs, and both counts are of something."""
    found = compared(traded)

    assert found.is_same
    assert found.orders_there == found.orders_booked > 8
    assert found.fills_there == found.fills_booked >= 8
    assert found.cash_there == found.cash_booked != Decimal(1_000_000)


@pytest.mark.parametrize(
    ("kind", "fields", "says"),
    [
        (FillRow, {"price_ticks": 1}, "1 fills of the venue are not booked, 1 are booked that it has not"),
        (FillRow, {"lots": 7}, "1 fills of the venue are not booked, 1 are booked that it has not"),
        (FillRow, {"fee_atto": 1}, "1 fills of the venue are not booked, 1 are booked that it has not"),
        (FillRow, None, "0 fills of the venue are not booked, 1 are booked that it has not"),
        (OrderRow, {"client_order_id": "theirs"}, "none of this journal"),
        (OrderRow, {"client_order_id": None, "asked_as": ""}, "none of this journal"),
    ],
)
def test_one_deed_that_is_another_one_is_found(traded, kind, fields, says):
    """A price, a size, a fee of one atto unit, a fill that is missing, an order of somebody else."""
    truth = changed(
        traded[1], kind, lambda deed: None if fields is None else msgspec.structs.replace(deed, **fields)
    )
    found = compared(traded, truth=truth)

    assert any(says in words for words in found.differences), found.differences


def test_an_order_that_is_there_twice_is_found(traded):
    """Under one name of ours and two of the venue."""
    found = compared(traded, truth=with_more(traded[1], OrderRow, number=9_999))

    assert [words for words in found.differences if "has it 2 times" in words]
    assert found.orders_there == found.orders_booked + 1


def test_a_fill_that_was_never_booked_is_found(traded):
    """One more than the books have."""
    found = compared(traded, truth=with_more(traded[1], FillRow))

    assert [words for words in found.differences if words.endswith("0 are booked that it has not")]
    assert found.fills_there == found.fills_booked + 1


def test_an_order_that_ended_otherwise_is_found(traded):
    """Expired there and canceled in the books."""
    truth = traded[1]
    at = max(
        index
        for index, deed in enumerate(truth.deeds)
        if isinstance(deed, OrderRow) and deed.state == "canceled"
    )
    other = msgspec.structs.replace(truth.deeds[at], state=VenueOrderState.EXPIRED)
    deeds = (*truth.deeds[:at], other, *truth.deeds[at + 1 :])
    found = compared(traded, truth=msgspec.structs.replace(truth, deeds=deeds))

    assert [words for words in found.differences if "expired there, canceled in the books" in words]


def test_an_order_that_the_venue_does_not_have_is_found(traded):
    """Nothing of the last one is there."""
    truth = traded[1]
    last = [deed for deed in truth.deeds if isinstance(deed, OrderRow)][-1].number
    deeds = [
        deed
        for deed in truth.deeds
        if (deed.number if isinstance(deed, OrderRow) else getattr(deed, "order", None)) != last
    ]
    found = compared(traded, truth=msgspec.structs.replace(truth, deeds=tuple(deeds)))

    assert [words for words in found.differences if "the books have it, and the venue has not" in words]


def test_positions_and_cash_are_compared_to_the_last_unit(traded):
    """One lot, and one atto unit."""
    found = compared(traded, positions={"BTC-USD": Decimal("0.0001")})
    assert found.differences == ("position of BTC-USD: 0 there, 0.0001 in the books",)

    cash = traded[2] + Decimal(1).scaleb(-18)
    (words,) = compared(traded, cash=cash).differences
    assert words == f"cash: {traded[2]:f} there, {cash:f} in the books"


def test_an_answer_of_a_venue_is_read_back(traded):
    """As `GET /truth` writes it."""
    truth = traded[1]
    written = msgspec.json.encode(
        {"deeds": truth.deeds, "balances": truth.balances, "positions": truth.positions}
    )
    assert Truth.decoded(written) == truth
