"""The native order book against plain dictionaries."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tradecore.domain.book import L2Book

prices = st.one_of(st.integers(10_000, 10_050), st.integers(1, 40_000), st.integers(1, 2**60))
updates = st.lists(st.tuples(st.integers(0, 1), prices, st.integers(0, 3)), max_size=200)


@given(changes=updates, cut=st.integers(0, 200))
def test_batches_and_single_changes_give_the_book_of_two_dictionaries(changes, cut):
    """However a stream is cut, or put in by mapping, the levels are those of a dictionary a side."""
    single, batched, mapped = L2Book(), L2Book(), L2Book()
    mappings, view = (mapped.bids, mapped.asks), mapped.top_view(5)
    sides = [{}, {}]
    for side, price, lots in changes:
        single.set(side, price, lots)
        sides[side][price] = mappings[side][price] = lots
    for part in (changes[:cut], changes[cut:]):
        columns = list(zip(*part, strict=True)) or [(), (), ()]
        batched.apply(
            np.array(columns[0], np.uint8), np.array(columns[1], np.int64), np.array(columns[2], np.int64)
        )
    for side, is_bid in ((0, True), (1, False)):
        held = [[price, lots] for price, lots in sorted(sides[side].items(), reverse=is_bid) if lots > 0]
        assert single.levels(side).tolist() == held
        assert single.top(5)[side].tolist() == (held + [[0, 0]] * 5)[:5]
        assert view.refresh()[side].tolist() == (held + [[0, 0]] * 5)[:5]
        assert [mappings[side][price] for price, _ in held] == [lots for _, lots in held]
        assert len(mappings[side]) == len(held)
    assert single.state() == batched.state() == mapped.state()
