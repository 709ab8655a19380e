"""A flatten in words: of files and the command line, completed by the settings, and told to people."""

import pytest

from tradecore.domain import InvalidValueError
from tradecore.domain.commands import CancelAll, Flatten, Kill, Pause
from tradecore_api.command_text import request_of
from tradecore_api.config.stop_tables import FlattenTable

SECOND = 1_000_000_000


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("flatten", {}),
        ("flatten strategy:a", {"scope": "strategy:a"}),
        ("flatten --within-bps 0", {"within_bps": 0}),
        (f"flatten --within-bps {'0' * 5_000}", {"within_bps": 0}),
        ("flatten --within-bps 00000000000020", {"within_bps": 20}),
        ("flatten --then-market 0.5 --within-bps 3", {"within_bps": 3, "then_market_ns": SECOND // 2}),
        ("flatten account:b --within-bps 9999", {"scope": "account:b", "within_bps": 9_999}),
        ("flatten --then-market 86400", {"then_market_ns": 86_400 * SECOND}),
    ],
)
def test_a_flatten_says_how_it_closes_in_the_words_of_the_command_line(text, said):
    """In any order, each word once."""
    assert request_of(text) == Flatten(**said)


@pytest.mark.parametrize(
    "text",
    [
        "flatten --within-bps",
        "flatten --within-bps 1.5",
        "flatten --within-bps -1",
        "flatten --within-bps 10000",
        "flatten --within-bps 99999999999999999999",
        "flatten --within-bps 00000000012345678",
        f"flatten --within-bps {'1' * 5_000}",
        f"cancel {'9' * 5_000}",
        "flatten --within-bps 2 --within-bps 3",
        "flatten --then-market 0",
        "flatten --then-market nan",
        "flatten --then-market inf",
        "flatten --then-market 86401",
        "flatten --then-market x",
        "flatten a b --within-bps 2",
        "flatten --at-once 1",
        "kill --within-bps 2",
    ],
)
def test_what_makes_no_sense_is_refused_in_words(text):
    """A file of it is called refused, and nothing is done."""
    with pytest.raises(InvalidValueError):
        request_of(text)


def test_the_settings_complete_what_a_flatten_does_not_say():
    """No distance is at the market at once, whoever says it; other commands are as they are."""
    table = FlattenTable(within_bps=30, then_market_ms=1_500)
    assert table.completed(Flatten(scope="strategy:a")) == Flatten(
        scope="strategy:a", within_bps=30, then_market_ns=1_500_000_000
    )
    assert table.completed(Flatten(within_bps=0, then_market_ns=5)) == Flatten()
    assert table.completed(Flatten(within_bps=2)).then_market_ns == 1_500_000_000
    assert table.completed(Flatten(then_market_ns=5)) == Flatten(within_bps=30, then_market_ns=5)
    assert FlattenTable().completed(Flatten(then_market_ns=5)) == Flatten()
    for other in (Kill(), CancelAll()):
        assert table.completed(other) is other


def test_what_was_done_says_how():
    """In the answer and in the journal."""
    by_limit = Flatten(scope="strategy:a", within_bps=20, then_market_ns=2_500_000_000)
    way = "by limit within 20 bps of the mark, and at the market after 2.5 s"
    assert by_limit.done().endswith(f"every position closed {way}")
    assert by_limit.words().endswith(way)
    assert Flatten().done().endswith("every position is closed as the market allows")
    # One that `flatten_when_halted` gives is no operator's.
    assert "operator" not in Flatten().words() + by_limit.words()


@pytest.mark.parametrize("name", ["maker", "mäker Ü", "a  b", "a:b c", "kill all"])
def test_a_scope_may_have_spaces_in_its_name(name):
    """As on the command line: a strategy that it can stop, a file can stop, too."""
    for scope in (f"strategy:{name}", f"instrument:{name}", f"account:{name}"):
        assert request_of(f"kill {scope}\n") == Kill(scope=scope)
        assert request_of(f"  cancel-all \t {scope}") == CancelAll(scope=scope)
        assert request_of(f"flatten {scope}") == Flatten(scope=scope)
        assert request_of(f"flatten {scope}  --then-market 1 --within-bps 3") == Flatten(
            scope=scope, within_bps=3, then_market_ns=SECOND
        )


def test_only_a_name_behind_a_colon_may_have_spaces():
    """Two words without one are no part of anything."""
    for text in ("kill me now", "pause maker now", "cancel 1 2", "stop strategy:a", "release-kill me now"):
        with pytest.raises(InvalidValueError):
            request_of(text)


def test_an_answer_names_the_way_back_as_a_shell_reads_it():
    """A name with a space is one word of the command line only within quotes."""
    assert Pause(scope="strategy:a b").done().endswith("`tradecore resume 'strategy:a b'`")
    assert Pause(scope="strategy:maker").done().endswith("`tradecore resume strategy:maker`")
