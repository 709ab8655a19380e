"""Settings from outside the file: how a dotted key leads through tables and lists."""

import pytest

from tradecore.domain import ConfigError
from tradecore_api.config.overrides import INDEX_DIGITS_MAX, apply


@pytest.mark.parametrize(
    ("tree", "key", "after"),
    [
        ({}, "a", {"a": 5}),
        ({"a": 1, "b": 2}, "a", {"a": 5, "b": 2}),
        ({}, "a.b.c", {"a": {"b": {"c": 5}}}),
        ({"a": {"b": 1}}, "a.c", {"a": {"b": 1, "c": 5}}),
        ({}, "a.0", {"a": [5]}),
        ({}, "a.0.b", {"a": [{"b": 5}]}),
        ({"a": [1, 2, 3]}, "a.1", {"a": [1, 5, 3]}),
        ({"a": [1]}, "a.1", {"a": [1, 5]}),
        ({"a": [{"b": 1}]}, "a.0.b", {"a": [{"b": 5}]}),
        ({"a": [{"b": 1}]}, "a.1.b", {"a": [{"b": 1}, {"b": 5}]}),
        ({"a": {"0": 1}}, "a.0", {"a": {"0": 5}}),
    ],
)
def test_a_key_leads_through_tables_and_lists(tree, key, after):
    """A number is a place in a list, and the length of the list appends; a table that is missing is made."""
    apply(tree, key, 5, "--set")

    assert tree == after


@pytest.mark.parametrize(
    ("tree", "key", "says"),
    [
        ({"a": 1}, "a.b", "a is a value, not a table"),
        ({"a": {"b": 1}}, "a.b.c", "a.b is a value, not a table"),
        ({"a": [1]}, "a.2", "write a number from 0 to 1"),
        ({"a": []}, "a.1", "write a number from 0 to 0"),
        ({"a": [1]}, "a.x", "write a number from 0 to 1"),
        ({"a": [1]}, "a.-1", "write a number from 0 to 1"),
        ({"a": [1]}, "a.²", "write a number from 0 to 1"),
        ({"a": [1]}, "a." + "0" * (INDEX_DIGITS_MAX + 1), "write a number from 0 to 1"),
        ({"a": [1]}, "a." + "9" * 5000, "write a number from 0 to 1"),
    ],
)
def test_a_key_that_leads_nowhere_is_refused_with_what_stands_there(tree, key, says):
    """Key, value and rule, whatever the length of the key."""
    with pytest.raises(ConfigError) as caught:
        apply(tree, key, 5, "--set")

    assert (caught.value.key, says in str(caught.value)) == (key, True)


def test_an_index_may_have_as_many_digits_as_are_allowed():
    """Nine of them are a number, also with zeros in front."""
    tree = {"a": [1]}
    apply(tree, "a." + "0" * INDEX_DIGITS_MAX, 5, "--set")

    assert tree == {"a": [5]}
