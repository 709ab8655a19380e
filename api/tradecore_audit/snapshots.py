"""What the engine said its books were: snapshots beside a journal, held against the audit's own.

A snapshot stands after a number of records. Its state is MessagePack with the name of every value, so that
other programs can read it; whole numbers of 128 bits are 16 bytes, the highest first.
"""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from msgspec import msgpack

from tradecore_audit.books import Purse
from tradecore_audit.files import opened
from tradecore_audit.findings import Findings
from tradecore_audit.ground import Ground

_MAGIC = b"TCSNAPS\n"
_HASH_BYTES = 32
_PART = ".snapshot."
_ENDS = frozenset({"Filled", "Canceled", "Rejected", "Expired"})
_RULE = "snapshot"
_DIGITS = 15
OTHER_WAY = "the journal went on in another way: an older copy of it was put back"
# What bytes of another form come to.
_UNREADABLE = (
    msgspec.MsgspecError, UnicodeDecodeError, RecursionError, LookupError, TypeError, ValueError,
    AttributeError, ArithmeticError, MemoryError,
)  # fmt: skip


class Standing(NamedTuple):
    """Where a snapshot is said to stand, in which journal, by the hash of its first record.

    `seq` is the number of records before it, `head` the head of the chain there, where that is known.
    """

    journal: str
    seq: int
    head: str | None


def paths(journal: Path) -> dict[int, Path]:
    """Return the snapshots beside a journal by the number of records that they stand after."""
    prefix = journal.name + _PART
    try:
        names = [path.name for path in journal.parent.iterdir()]
    except OSError:
        return {}
    numbers = [name.removeprefix(prefix) for name in names if name.startswith(prefix)]
    own = sorted(each for each in numbers if each.isdecimal() and len(each) == _DIGITS)
    return {int(number): journal.with_name(prefix + number) for number in own}


def compare(path: Path, ground: Ground, stands: Standing) -> None:
    """Compare a snapshot with the books as they are now, at the record that it stands after."""
    findings = ground.findings
    try:
        head, state = _read(path)
        if why := _stranger(head, stands):
            findings.leave(path.name, why)
            return
        found = differences(state, ground)
    except OSError as error:
        findings.leave(path.name, f"it cannot be read: {error.strerror}")
        return
    except _UNREADABLE as error:
        findings.leave(path.name, f"its form is not known here: {type(error).__name__}: {error}")
        return
    findings.checked[_RULE] += 1
    for words in found:
        findings.add(_RULE, stands.seq - 1, f"{words} (in {path.name})")


def beyond(path: Path, findings: Findings, stands: Standing, records: int) -> None:
    """Say that a journal ends before a snapshot of it: what the engine told of is not there any more."""
    try:
        head, _ = _read(path)
        why = _stranger(head, stands)
    except (OSError, *_UNREADABLE) as error:
        why = f"it stands after the end, and cannot be read: {error}"
    if why:
        findings.leave(path.name, why)
        return
    what = f"it ends here, and {path.name} is of {stands.seq} records: it was cut, or an older copy put back"
    findings.check("journal", records, what)


def differences(state: dict[str, Any], ground: Ground) -> list[str]:
    """Return what differs between the state of an engine and the books of the audit.

    Raises `LookupError`, `TypeError` or `ValueError` where the state has another form.
    """
    books = state["books"]
    return [
        *_positions(books["ledger"], ground),
        *_money(books["ledger"], ground),
        *_orders(books["orders"], ground),
    ]


def _stranger(head: dict[str, Any], stands: Standing) -> str:
    """Return why a snapshot is not of this journal at this record; empty where it is."""
    if head["journal"] != stands.journal:
        return "it is of another journal"
    if head["seq"] != stands.seq:
        return f"it stands after {head['seq']} records, and its name says another number"
    if stands.head is not None and head["head"] != stands.head:
        return OTHER_WAY
    return ""


def _read(path: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    with opened(path) as file:
        data = file.read()
    begin = len(_MAGIC) + 4
    end = len(data) - _HASH_BYTES
    if not data.startswith(_MAGIC) or end < begin or hashlib.sha256(data[:end]).digest() != data[end:]:
        raise ValueError("its bytes are not those that were written")
    length = int.from_bytes(data[len(_MAGIC) : begin], "little")
    head = msgpack.decode(data[begin : begin + length])
    state = msgpack.decode(data[begin + length : end], strict=False)
    return head, state


def _positions(ledger: dict[str, Any], ground: Ground) -> Iterator[str]:
    settings = ground.settings
    count = len(settings.instruments)
    for slot, holding in enumerate(ledger["holdings"]):
        place = divmod(slot, count)
        ours = ground.books.positions.get(place, 0)
        if holding["position"] != ours:
            who = f"{settings.strategies[place[0]]} in {settings.instruments[place[1]].symbol}"
            yield f"the engine held {holding['position']} lots of {who}, the fills come to {ours}"


def _money(ledger: dict[str, Any], ground: Ground) -> Iterator[str]:
    settings = ground.settings
    said = [ledger["accounts"], *(purse["accounts"] for purse in ledger["purses"])]
    for name, accounts, purse in zip(settings.currencies, said, ground.books.purses, strict=True):
        for what, theirs, ours in _amounts(accounts, purse):
            if theirs != ours:
                yield f"the engine had {theirs} atto units of {what} in {name}, its records come to {ours}"


def _amounts(accounts: dict[str, bytes], purse: Purse) -> Iterator[tuple[str, int, int]]:
    theirs = {name: int.from_bytes(value, "big", signed=True) for name, value in accounts.items()}
    yield "cash", theirs["cash"], purse.cash
    yield "fees", theirs["fees"], purse.fees
    yield "what was brought", -theirs["opening"], purse.brought
    yield "flows", -theirs["flows"], purse.flows
    result = "realised profit less the cost of what is open"
    yield result, -theirs["realised"] - theirs["inventory"], purse.realised - purse.inventory
    if purse.is_exact:
        yield "realised profit", -theirs["realised"], purse.realised


def _orders(orders: dict[str, Any], ground: Ground) -> Iterator[str]:
    free = set(orders["free"])
    kept = [order for at, order in enumerate(orders["slab"]) if at not in free]
    theirs = {order["intent"]["order_id"]: order for order in kept if order["state"] not in _ENDS}
    ours = ground.orders.open
    for number in sorted(theirs.keys() | ours.keys()):
        if number not in ours:
            yield f"order {number} was open in the engine, and has ended by the records"
        elif number not in theirs:
            yield f"order {number} is open by the records, and was not in the engine"
        else:
            said, order = theirs[number], ours[number]
            if (said["lots"], said["filled_lots"]) != (order.lots, order.filled):
                filled = f"{said['filled_lots']} of {said['lots']}"
                ours_filled = f"{order.filled} of {order.lots}"
                yield f"order {number} had filled {filled} in the engine, {ours_filled} by the records"
