"""Market by order of Databento: from a file to a book, checked against plain sums and queues."""

import struct
from collections import defaultdict

import numpy as np
import pytest

from support.shared import shared_data
from tradecore import InvalidValueError
from tradecore.domain import DataError
from tradecore.domain.book import OrderBook
from tradecore_files import load_orders
from tradecore_files.order_records import record_types

CAPTURE = "public/nautilus/databento/esh4-glbx-mdp3-20231224.mbo.dbn.zst"


def record(action, side, order_id, price, lots, instrument_id=7):
    """Write a market-by-order record of version 1; the price in units of 10^-9."""
    head = struct.pack("<BBHIQQq", 14, 0xA0, 1, instrument_id, 1_000, order_id, price)
    return head + struct.pack("<IBBccQiI", lots, 0x80, 0, action, side, 2_000, 0, 9)


def write(path, *records):
    """Write a DBN file without metadata."""
    path.write_bytes(b"DBN\x01\x02\0\0\0.." + b"".join(records))
    return path


def test_the_book_of_the_capture_is_the_sum_of_its_orders():
    """Levels, queues and places in them equal plain dictionaries and lists over all 8,725 orders."""
    orders = load_orders(shared_data(CAPTURE), "0.25")
    book = OrderBook()
    orders.apply_to(book)

    queues = defaultdict(list)
    rows = zip(
        orders.side.tolist(),
        orders.price_ticks.tolist(),
        orders.order_id.tolist(),
        orders.lots.tolist(),
        strict=False,
    )
    for side, price, order_id, lots in rows:
        queues[side, price].append((order_id, lots))
    assert len(orders) == len(book) == 8_725
    assert set(orders.action.tolist()) == {0}
    assert orders.is_last[-1]
    for side in (0, 1):
        prices = sorted((price for at, price in queues if at == side), reverse=side == 0)
        sums = [[price, sum(lots for _, lots in queues[side, price])] for price in prices]
        assert book.l2().levels(side).tolist() == sums
        assert book.top(10)[side].tolist() == sums[:10]
    for (side, price), queue in queues.items():
        assert book.queue(side, price) == queue
        ahead = 0
        for place, (order_id, lots) in enumerate(queue):
            assert book.queue_position(order_id) == (place, ahead)
            assert book.order(order_id) == (side, price, lots)
            ahead += lots


def test_every_action_does_what_its_letter_says(tmp_path):
    """Add, trade, fill, cancel, modify, clear; records of other instruments are left out."""
    point = 10**9
    path = write(
        tmp_path / "orders.dbn",
        record(b"A", b"B", 1, 100 * point, 5),
        record(b"A", b"B", 1, 100 * point, 5, instrument_id=8),
        record(b"A", b"B", 2, 100 * point, 3),
        record(b"A", b"A", 3, 101 * point, 4),
        record(b"T", b"A", 0, 100 * point, 2),
        record(b"F", b"B", 1, 100 * point, 2),
        record(b"C", b"B", 1, 100 * point, 2),
        record(b"M", b"B", 1, 100 * point, 4),
        record(b"R", b"N", 0, 2**63 - 1, 0),
    )
    orders = load_orders(path, "0.25", instrument_id=7)
    assert orders.action.tolist() == [0, 0, 0, 3, 3, 2, 1, 4]
    book = OrderBook(orders_max=8)
    orders.apply_to(book, 0, 7)
    # Growing cost the first order its place.
    assert book.queue(0, 400) == [(2, 3), (1, 4)]
    assert book.best() == (400, 7, 404, 4)
    assert book.queue_position(1) == (1, 3)
    orders.apply_to(book, 7)
    assert len(book) == 0
    assert book.best() == (0, 0, 0, 0)


def test_a_file_or_a_change_that_cannot_be_is_named(tmp_path):
    """With the record or row and the rule."""
    path = write(tmp_path / "off.dbn", record(b"A", b"B", 1, 100_100_000_000, 5))
    with pytest.raises(DataError, match=r"record 1: price .*must be a multiple of the tick"):
        load_orders(path, "0.25")
    path.write_bytes(b"no DBN at all")
    with pytest.raises(DataError, match="must begin with DBN"):
        load_orders(path, "0.25")
    path.write_bytes(b"\x28\xb5\x2f\xfd cut")
    with pytest.raises(DataError, match="damaged or cut zstd"):
        load_orders(path, "0.25")
    with pytest.raises(InvalidValueError, match="tick_size"):
        load_orders(write(path), "0")
    orders = load_orders(write(path, record(b"C", b"B", 1, 10**9, 1)), "0.25")
    with pytest.raises(InvalidValueError, match="unknown: no order 1 rests"):
        orders.apply_to(OrderBook())


def test_single_changes_and_their_refusals():
    """The book can be kept by hand; what is refused changes nothing."""
    book = OrderBook(orders_max=2, levels_max=2)
    book.add(1, 0, 100, 5)
    book.add(2, 1, 101, 5)
    for change, rule in [
        (lambda: book.add(1, 0, 99, 5), "repeated"),
        (lambda: book.add(3, 0, 99, 5), "too_many_orders"),
        (lambda: book.modify(9, 99, 5), "unknown"),
        (lambda: book.reduce(1, 6), "lots"),
        (lambda: book.add(4, 2, 99, 5), "must be 0"),
    ]:
        with pytest.raises(InvalidValueError, match=rule):
            change()
    assert book.best() == (100, 5, 101, 5)
    book.modify(1, 99, 5)
    book.reduce(2, 5)
    assert book.best() == (99, 5, 0, 0)
    out = np.full((2, 3, 2), -1)
    assert book.top(3, out) is out
    assert out.tolist() == [[[99, 5], [0, 0], [0, 0]], [[0, 0]] * 3]
    book.clear()
    assert len(book) == 0
    for bounds in ({"orders_max": 2**24 + 1}, {"levels_max": 2**16 + 1}):
        with pytest.raises(InvalidValueError, match="must be at most"):
            OrderBook(**bounds)


def other(kind, length):
    """Write a record of another type, so many bytes long."""
    return struct.pack("<BB", length // 4, kind) + bytes(length - 2)


def test_records_of_other_schemas_are_counted_by_their_own_lengths(tmp_path):
    """Each record says its length in words of four bytes."""
    path = write(tmp_path / "other.dbn", other(0x01, 80), other(0x0A, 368), other(0x01, 80), other(0x16, 16))

    assert record_types(path.read_bytes()) == {0x01: 2, 0x0A: 1, 0x16: 1}


def test_a_file_with_records_and_none_of_orders_says_what_it_has(tmp_path):
    """What is no market data is counted by type, in the order of the file; market data is named alone."""
    path = write(tmp_path / "none.dbn", other(0x12, 40), other(0x16, 176), other(0x12, 40), other(0x77, 16))
    with pytest.raises(DataError, match=r"by order, but 2 of status, 1 of symbol mapping, 1 of 119; fetch"):
        load_orders(path, "0.25")
    path = write(tmp_path / "prices.dbn", other(0x12, 40), other(0x0A, 368))
    with pytest.raises(DataError, match=r'schema "mbp-10": must be mbo'):
        load_orders(path, "0.25")


@pytest.mark.parametrize(("length", "counted"), [(0, 1), (12, 1), (16, 3)])
def test_a_record_shorter_than_its_header_ends_the_count(tmp_path, length, counted):
    """A length of nothing would count for ever."""
    broken = struct.pack("<BB", length // 4, 0x12) + bytes(14)
    data = write(tmp_path / "broken.dbn", other(0x01, 80), broken, other(0x01, 80)).read_bytes()

    assert record_types(data).total() == counted
