"""Names of orders under any epochs: read back exactly, and no other engine's name is taken for ours."""

from hypothesis import given
from hypothesis import strategies as st

from tradecore.domain.epoch import Epoch
from tradecore.runtime.live.client_ids import EPOCH_MAX, NUMBER_MAX, REVISION_MAX, ClientIds, is_ours

NUMBERS = st.one_of(st.integers(1, 60), st.integers(1, NUMBER_MAX))
REVISIONS = st.integers(0, REVISION_MAX)
JOURNALS = st.sampled_from(("one", "two", "three"))


@st.composite
def epochs(draw):
    """Make epochs as take-overs do: rising, each from a later order on."""
    count = draw(st.integers(1, 6))
    numbers = sorted(draw(st.sets(st.integers(0, EPOCH_MAX), min_size=count, max_size=count)))
    firsts = sorted(draw(st.sets(st.integers(2, 60), min_size=count - 1, max_size=count - 1)))
    return tuple(Epoch(number, first) for number, first in zip(numbers, [1, *firsts], strict=True))


def epoch_of(known, number):
    """Return the epoch in which a number was given, by going through them."""
    return [each.number for each in known if each.first_order <= number][-1]


@given(known=epochs(), number=NUMBERS, revision=REVISIONS, journal=JOURNALS)
def test_a_name_says_epoch_journal_number_and_revision(known, number, revision, journal):
    """And the epoch is that in which the number was given, whatever came later."""
    ids = ClientIds(known, journal)
    name = ids.of(number, revision)
    assert is_ours(name)
    assert name == ClientIds(epoch_of(known, number), journal).of(number, revision)
    assert (ids.order_id(name), ids.revision(name)) == (number, revision)
    assert ids.epoch_and_number(name) == (epoch_of(known, number), number)
    assert name.startswith(ids.heads)
    for earlier in range(1, len(known) + 1):
        # Whoever took over later names an order of before as it was named.
        before = ClientIds(known[:earlier], journal)
        is_known = earlier == len(known) or number < known[earlier].first_order
        assert (before.of(number, revision) == name) or not is_known


@given(known=epochs(), number=NUMBERS, epoch=st.integers(0, EPOCH_MAX), other=JOURNALS)
def test_a_number_of_another_epoch_or_journal_is_another_order(known, number, epoch, other):
    """A copy of the journal gives the same numbers; its epoch says whose they are."""
    ids = ClientIds(known, "one")
    name = ClientIds(epoch, other).of(number)
    is_of_here = other == "one" and epoch == epoch_of(known, number)
    assert ids.order_id(name) == (number if is_of_here else None)
    assert ids.revision(name) == (0 if is_of_here else None)
    assert ids.epoch_and_number(name) == ((epoch, number) if other == "one" else None)


@given(known=epochs(), text=st.text(max_size=24))
def test_any_text_is_read_without_a_fault(known, text):
    """Whatever others call their orders."""
    ids = ClientIds(known, "one")
    number, named = ids.order_id(text), ids.epoch_and_number(text)
    assert number is None or ids.of(number, ids.revision(text) or 0) == text
    assert named is None or is_ours(text)
