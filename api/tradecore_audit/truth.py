"""What a local venue says that it did, held against what the audit makes of the journal.

The venue's log is the answer of `GET /truth`: every order, trade and deposit, then balances and positions.
Nothing may be under way when it is asked.
"""

import hashlib
from collections import Counter
from collections.abc import Iterator
from typing import Any

import msgspec

from tradecore_audit.errors import DamagedError
from tradecore_audit.ground import Ground
from tradecore_audit.settings import Instrument

_DIGITS = "0123456789abcdefghjkmnpqrstvwxyz"
_NAME_LENGTH = 18
_JOURNAL, _REVISION, _NUMBER = slice(4, 9), slice(9, 11), slice(11, 18)
_ENDS = frozenset({"canceled", "expired"})
_Numbers = tuple[int, int, bool, int]


class VenueLog(msgspec.Struct, frozen=True):
    """What a venue did, as rows of plain values."""

    deeds: list[dict[str, Any]]
    balances: list[dict[str, Any]]
    positions: list[dict[str, Any]]


def read(data: bytes, where: str) -> VenueLog:
    """Read the log of a venue.

    Raises
    ------
    DamagedError
        When it is none.
    """
    try:
        return msgspec.json.decode(data, type=VenueLog)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise DamagedError(where, f"is no log of a local venue: {error}") from error


def compare(log: VenueLog, ground: Ground, *, account: str, origin: str) -> None:
    """Compare orders, trades, positions and money of an account; every difference becomes a finding.

    Its markets are the instruments of the account, in their order. `origin` is the hash of the journal's
    first record, which is a part of the names of its orders.
    """
    settings, findings = ground.settings, ground.findings
    names = [each.name for each in settings.accounts]
    if account not in names:
        findings.leave("venue", f"the journal has no account {account}: it has {', '.join(names)}")
        return
    number = names.index(account)
    numbers = [at for at, each in enumerate(settings.instruments) if each.account == number]
    deeds = [deed for deed in log.deeds if deed["account"] == account]
    for rule, differences in (
        ("venue_order", _orders(deeds, ground, numbers, _written(origin))),
        ("venue_position", _positions(log, ground, account, numbers)),
        ("venue_money", _money(log, deeds, ground, account, number)),
    ):
        for words in differences:
            findings.check(rule, None, words)


def _orders(
    deeds: list[dict[str, Any]], ground: Ground, numbers: list[int], mark: str
) -> Iterator[str | None]:
    rows: dict[int, list[dict[str, Any]]] = {}
    last = {deed["number"]: deed for deed in deeds if deed["type"] == "order"}
    for row in last.values():
        order_id = _order_id(row["client_order_id"], mark)
        if order_id is None:
            order_id = _order_told(row, ground)
        if order_id is None:
            yield f"order {row['number']} there, {row['client_order_id']!r}, is none of this journal"
        else:
            rows.setdefault(order_id, []).append(row)
    there = _fills_there(deeds)
    booked = _fills_booked(ground)
    orders = {
        each.terms.order_id: each
        for each in (*ground.orders.ended.values(), *ground.orders.open.values())
        if each.terms.instrument in numbers
    }
    for order_id in sorted(orders.keys() | rows.keys()):
        order, of_it = orders.get(order_id), rows.get(order_id, [])
        if order is None:
            yield f"the venue has order {order_id}, which was not approved"
            continue
        if of_it and order.sent_seq is None and not order.is_adopted:
            yield f"the venue has order {order_id}, which was never sent"
        if not of_it and order.is_shown and not order.is_adopted:
            yield f"order {order_id} was shown by the venue, and it has none of this name"
        names = [row["client_order_id"] for row in of_it if row["client_order_id"] is not None]
        if len(set(names)) < len(names):
            yield f"the venue has order {order_id} {len(names)} times"
        ours = booked.get(order_id, Counter())
        theirs: Counter[_Numbers] = sum((there.get(row["number"], Counter()) for row in of_it), Counter())
        if ours != theirs:
            lost, more = (theirs - ours).total(), (ours - theirs).total()
            yield f"order {order_id}: {lost} trades of the venue are not booked, {more} are that it has not"
        if of_it:
            last = max(of_it, key=lambda row: (_revision(row), row["number"]))
            yield _end_difference(order_id, order.end, last, len(of_it))


def _end_difference(order_id: int, end: str, row: dict[str, Any], count: int) -> str | None:
    theirs = row["state"] if row["state"] in _ENDS else ""
    ours = end if end in _ENDS else ""
    is_cut = row["state"] == "filled" and end == "canceled" and count > 1
    if theirs == ours or is_cut:
        return None
    return f"order {order_id} is {row['state']} there, {end or 'open'} in the journal"


def _fills_there(deeds: list[dict[str, Any]]) -> dict[int, Counter[_Numbers]]:
    """Return the trades of each order as they stand now; what is told anew takes the place of what was."""
    standing: dict[tuple[int, int], list[dict[str, Any]]] = {}
    for deed in deeds:
        if deed["type"] == "fill":
            of_trade = standing.setdefault((deed["order"], deed["trade"]), [])
            if deed.get("revision"):
                of_trade.clear()
            of_trade.append(deed)
    found: dict[int, Counter[_Numbers]] = {}
    for (order, _), fills in standing.items():
        for fill in fills:
            if fill["lots"]:
                numbers = (fill["price_ticks"], fill["lots"], fill["is_maker"], fill["fee_atto"])
                found.setdefault(order, Counter())[numbers] += 1
    return found


def _fills_booked(ground: Ground) -> dict[int, Counter[_Numbers]]:
    found: dict[int, Counter[_Numbers]] = {}
    for order_id, traded in ground.told.standing():
        numbers = (traded.price_ticks, traded.lots, traded.is_maker, traded.fee)
        found.setdefault(order_id, Counter())[numbers] += 1
    return found


def _positions(log: VenueLog, ground: Ground, account: str, numbers: list[int]) -> Iterator[str | None]:
    there: Counter[int] = Counter()
    for row in log.positions:
        if row["account"] == account:
            there[row["market"]] += row["lots"]
    settings = ground.settings
    for market, number in enumerate(numbers):
        instrument = settings.instruments[number]
        if instrument.base is not None:
            continue
        ours = ground.books.totals.get(number, 0)
        words = f"position of {instrument.symbol}: {there[market]} lots there, the fills come to {ours}"
        yield words if there[market] != ours else None


def _money(
    log: VenueLog, deeds: list[dict[str, Any]], ground: Ground, account: str, number: int
) -> Iterator[str | None]:
    """Compare what each balance has made: what was brought in is left out on both sides."""
    settings = ground.settings
    instruments = [each for each in settings.instruments if each.account == number]
    totals = {row["currency"]: row["total_atto"] for row in log.balances if row["account"] == account}
    deposits: Counter[str] = Counter()
    for deed in deeds:
        if deed["type"] == "deposit":
            deposits[deed["currency"]] += deed["amount_atto"]
    costs: Counter[int] = Counter()
    for row in log.positions:
        if row["account"] == account and instruments[row["market"]].base is None:
            costs[instruments[row["market"]].settlement] += row["cost_atto"]
    prefix = "" if number == 0 else f"{account}:"
    for place, name in enumerate(settings.currencies):
        currency = name.removeprefix(prefix)
        if currency not in totals or (not prefix and ":" in name):
            continue
        theirs = totals[currency] - costs[place] - deposits[currency]
        purse = ground.books.purses[place]
        ours = purse.cash - purse.brought + _owned(ground, settings.instruments, place)
        words = f"money made in {name}: {theirs} atto units there, {ours} by the journal"
        yield words if theirs != ours else None


def _owned(ground: Ground, instruments: tuple[Instrument, ...], place: int) -> int:
    """Return what purchases have added to a balance."""
    return sum(
        instrument.base_amount(ground.books.totals.get(number, 0))
        for number, instrument in enumerate(instruments)
        if instrument.base == place
    )


def _order_id(name: str | None, mark: str) -> int | None:
    """Return the number of an order of this journal by its name at the venue."""
    is_ours = name is not None and len(name) == _NAME_LENGTH and name[0] == "t" and name[_JOURNAL] == mark
    return _read(name[_NUMBER]) if is_ours and name is not None else None


def _order_told(row: dict[str, Any], ground: Ground) -> int | None:
    """Return the number of an order that has no name of ours, by what the venue told of it.

    A venue may take no names, and an order of others that was taken over keeps its own.
    """
    number = ground.told.order_of(str(row["number"]))
    order = None if number is None else ground.orders.find(number)
    is_of_it = order is not None and (row["client_order_id"] is None or order.is_adopted)
    return number if is_of_it else None


def _revision(row: dict[str, Any]) -> int:
    name = row["client_order_id"]
    return 0 if name is None or len(name) != _NAME_LENGTH else _read(name[_REVISION])


def _written(origin: str) -> str:
    """Return the five digits of a journal in the names of its orders."""
    number = int.from_bytes(hashlib.sha256(origin.encode()).digest()[:4], "big")
    digits = ""
    for _ in range(5):
        number, rest = divmod(number, 32)
        digits = _DIGITS[rest] + digits
    return digits


def _read(digits: str) -> int:
    number = 0
    for digit in digits:
        number = number * 32 + max(_DIGITS.find(digit), 0)
    return number
