"""Where a replay parts from its journal: the message is what somebody starts to search from."""

import re

import pytest

from tradecore.domain.errors import BrokenInvariantError
from tradecore.runtime.recovery import raise_divergence

RECORDED = bytes(range(1, 101))


def told(recorded, regenerated, bytes_before):
    """Return the place and both pieces that the message shows."""
    with pytest.raises(BrokenInvariantError) as caught:
        raise_divergence(recorded, regenerated, bytes_before)
    shown = re.search(r"journal (\d+) bytes .* recorded (\w*), made again (\w*);", str(caught.value))
    place, was, made = shown.groups()
    return int(place), bytes.fromhex(was), bytes.fromhex(made)


@pytest.mark.parametrize("bytes_before", [0, 1, 4096])
@pytest.mark.parametrize("index", [0, 1, 60, 99])
@pytest.mark.parametrize("other", [b"\x00", b"\xff"])
def test_the_first_byte_that_differs_is_named_with_what_follows_it(other, index, bytes_before):
    """The place counts from the start of the journal; 24 bytes of each side are shown, or what there is."""
    made = RECORDED[:index] + other + RECORDED[index + 1 :]

    assert told(RECORDED, made, bytes_before) == (
        bytes_before + index,
        RECORDED[index : index + 24],
        made[index : index + 24],
    )


@pytest.mark.parametrize("length", [0, 1, 80])
def test_where_one_side_has_an_end_its_end_is_named(length):
    """All bytes that both have are equal: they part where the shorter one ends."""
    rest = RECORDED[length : length + 24]

    assert told(RECORDED, RECORDED[:length], 7) == (7 + length, rest, b"")
    assert told(RECORDED[:length], RECORDED, 7) == (7 + length, b"", rest)
