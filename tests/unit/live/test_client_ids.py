"""Names of orders at a venue: the same in every version, read back exactly, none of others taken for ours."""

import hashlib

import pytest

from tradecore.domain.errors import InvalidValueError
from tradecore.runtime.live.client_ids import EPOCH_MAX, LENGTH, NUMBER_MAX, REVISION_MAX, ClientIds, is_ours

LAST = 32**7 - 1


@pytest.mark.parametrize(
    ("epoch", "journal", "order_id", "name"),
    [
        (0, "journal", 1, "t000xttvq000000001"),
        (1, "ab", 33, "t001rw87w000000011"),
        (32_767, "ab", LAST, "tzzzrw87w00zzzzzzz"),
    ],
)
def test_a_name_is_the_same_in_every_version(epoch, journal, order_id, name):
    """An engine that was updated finds the orders that the one before sent."""
    ids = ClientIds(epoch, journal)
    assert ids.of(order_id) == name
    assert ids.order_id(name) == order_id


@pytest.mark.parametrize("number", [1, 31, 32, 33, 1_023, 1_024, 10**9, LAST - 1, LAST])
def test_a_name_has_eighteen_digits_that_count_in_thirty_twos(number):
    """A mark, three of the epoch, five of the journal's hash, two of the revision, seven of the number."""
    digits = "0123456789abcdefghjkmnpqrstvwxyz"
    name = ClientIds(1_000, "j").of(number)
    value = 0
    for digit in name[11:]:
        value = value * 32 + digits.index(digit)
    assert (len(name), name[0], name[9:11], value) == (18, "t", "00", number)
    assert LENGTH == 18
    assert [digits.index(digit) for digit in name[1:4]] == [0, 31, 8]
    hashed = int.from_bytes(hashlib.sha256(b"j").digest()[:4], "big")
    journal = 0
    for digit in name[4:9]:
        journal = journal * 32 + digits.index(digit)
    assert journal == hashed % 32**5


@pytest.mark.parametrize(("revision", "digits"), [(1, "01"), (31, "0z"), (99, "33"), (REVISION_MAX, "zz")])
def test_each_sending_of_an_order_has_a_name_of_its_own(revision, digits):
    """All of them are ours and read back; the first one is named as ever."""
    ids = ClientIds(0, "journal")
    name = ids.of(33, revision)
    assert name == f"t000xttvq{digits}0000011"
    assert (ids.order_id(name), ids.revision(name)) == (33, revision)
    assert (ids.of(33, 0), ids.revision(ids.of(33))) == (ids.of(33), 0)
    assert is_ours(name)
    assert ClientIds(1, "journal").revision(name) is None


@pytest.mark.parametrize("revision", [-1, REVISION_MAX + 1])
def test_a_revision_that_no_name_can_hold_is_refused(revision):
    """Two digits hold so many."""
    with pytest.raises(InvalidValueError, match="must be from 0 to 1023"):
        ClientIds(0, "j").of(1, revision)


@pytest.mark.parametrize("epoch", [-1, 32_768])
def test_an_epoch_that_no_name_can_hold_is_refused(epoch):
    """The rule names the largest one."""
    with pytest.raises(InvalidValueError, match="must be from 0 to 32767"):
        ClientIds(epoch, "j")
    assert EPOCH_MAX == 32_767


@pytest.mark.parametrize("order_id", [-1, 0, LAST + 1])
def test_a_number_that_no_name_can_hold_is_refused(order_id):
    """Numbers of orders begin with 1."""
    with pytest.raises(InvalidValueError, match=f"must be from 1 to {LAST}"):
        ClientIds(0, "j").of(order_id)
    assert NUMBER_MAX == LAST


NAME = ClientIds(2, "j").of(77)


@pytest.mark.parametrize(
    ("name", "has_our_form"),
    [
        (None, False),
        ("", False),
        ("web", False),
        (NAME[:-1], False),
        (NAME + "0", False),
        ("u" + NAME[1:], False),
        (NAME.upper(), False),
        (NAME[:-1] + "u", False),
        (NAME[:9] + "i" + NAME[10:], False),
        (NAME[:9] + "0" * 9, True),
        (ClientIds(3, "j").of(77), True),
        (ClientIds(2, "k").of(77), True),
    ],
)
def test_a_name_of_others_is_no_order_of_this_journal(name, has_our_form):
    """One of another journal or epoch has the form of ours all the same: an order that was left behind."""
    assert ClientIds(2, "j").order_id(name) is None
    assert is_ours(name) == has_our_form
    assert is_ours(NAME)
