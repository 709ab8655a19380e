"""Holds what left over the connections against what was on the disk by then, and what was approved."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator

import msgspec

from promises.wire.calls import Call, calls
from promises.wire.streams import Message, Stream
from promises.wire.watched import Watched, journal_of
from tradecore.domain import record_bodies as bodies
from tradecore.domain.unreadable import UNREADABLE
from tradecore.runtime.live.client_ids import ClientIds
from tradecore.runtime.recovery import last_epochs
from tradecore_local import wire

_WRITES = frozenset({"write", "writev", "pwrite64"})
_SENDS = frozenset({"write", "writev", "sendto", "sendmsg", "sendmmsg"})
_SYNCS = frozenset({"fsync", "fdatasync"})
_CELL = 32
_KINDS = {"POST": "new", "PUT": "replace", "DELETE": "cancel"}


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """What was looked at, and what was wrong.

    Attributes
    ----------
    sends : int
        Messages that name an order.
    orders : int
        New orders among them.
    approved : int
        Orders that risk has approved and the engine has sent.
    withdrawn : int
        Approved orders that were taken back before they left, as the journal says.
    early : tuple of str
        Messages that left before their record was durable.
    unequal : tuple of str
        Orders that were sent more or less often than approved.
    """

    sends: int
    orders: int
    approved: int
    withdrawn: int
    early: tuple[str, ...]
    unequal: tuple[str, ...]


def look(found: Watched) -> Seen:
    """Look at all that left."""
    journal = journal_of(found)
    ids = ClientIds(last_epochs(journal).get("wire") or 0, journal.first_hash())
    approved: set[int] = set()
    withdrawn: set[int] = set()
    sent: dict[tuple[int, str], list[int]] = defaultdict(list)
    for seq, _, kind, fields in journal.reader():
        if kind == "order":
            approved.add(fields["order_id"])
        elif kind == "sent":
            body = bodies.Sent(**fields)
            sent[body.order_id, body.request].append(seq)
        elif kind == "report" and fields.get("reason") == "never_arrived":
            withdrawn.add(fields["order_id"])
    early: list[str] = []
    posts: Counter[int | None] = Counter()
    sends = 0
    for message in messages(calls(found.trace), str(found.journal)):
        method = _method(message)
        posts.update(ids.order_id(name) for name in message.names if method == "POST")
        for name in message.names:
            sends += 1
            order_id = ids.order_id(name)
            # A question names an order that was asked for before.
            seqs = sent.get((order_id or 0, _KINDS.get(method, "new")), [])
            if not seqs or seqs[0] >= message.at:
                early.append(
                    f"{method} of order {order_id} ({name}) left when {message.at} records were durable"
                )
    let_go = {order_id for (order_id, request) in sent if request == "new"}
    withdrawn.difference_update(posts)
    left = (let_go & approved) - withdrawn
    wanted = Counter({order_id: len(sent[order_id, "new"]) for order_id in left})
    unequal = [
        f"order {order_id}: {posts[order_id]} sends, {wanted[order_id]} approvals"
        for order_id in {*posts, *wanted}
        if posts[order_id] != wanted[order_id] or order_id not in approved
    ]
    return Seen(
        sends=sends,
        orders=posts.total(),
        approved=wanted.total(),
        withdrawn=len(withdrawn & let_go),
        early=tuple(early),
        unequal=tuple(sorted(unequal)),
    )


def messages(seen: Iterable[Call], journal: str) -> Iterator[Message]:
    """Yield what left over connections, each with how many records of the journal were durable by then."""
    written = durable = begun = 0
    streams: dict[str, Stream] = defaultdict(Stream)
    for call in seen:
        is_of_journal = call.target == journal
        if is_of_journal and call.name in _WRITES and call.result is not None:
            written = _records(call.data, written)
        elif is_of_journal and call.name in _SYNCS:
            if call.begins:
                # What is written while a sync runs may be too late for it.
                begun = written
            if call.result == 0:
                durable = begun
        elif call.begins and call.name in _SENDS and call.target.startswith("TCP"):
            # Of bytes that the system did not take the rest comes in another call.
            taken = call.data if call.result is None else call.data[: max(call.result, 0)]
            yield from streams[call.target].take(taken, durable)


def _records(data: bytes, written: int) -> int:
    """Return how many records the journal has with these blocks."""
    at = 0
    while data[at : at + 4] == b"TCBK":
        payload, frames = (int.from_bytes(data[at + 4 * n : at + 4 * n + 4], "little") for n in (1, 2))
        written = int.from_bytes(data[at + 16 : at + 24], "little") + frames
        at += 2 * _CELL + -(-payload // _CELL) * _CELL
    return written


def _method(message: Message) -> str:
    try:
        return msgspec.json.decode(message.data, type=wire.SocketRequest).method
    except UNREADABLE:
        return message.data.partition(b" ")[0].decode("ascii", "replace")[:10]
