"""Scripts of faults, and who is let in to the local venue."""

import msgspec
import pytest

from tradecore.domain.errors import InvalidValueError
from tradecore.domain.secret import Secret
from tradecore.testkit.local_venue import (
    Access,
    Endpoint,
    FaultKind,
    FaultRule,
    Faults,
    FaultScript,
    LimitSetting,
    Right,
)

NOW_NS = 1_700_000_000_000_000_000
SECOND_NS = 1_000_000_000


def drawn(*rules: FaultRule, times: int, seed: int = 1, endpoint: Endpoint = Endpoint.SUBMIT) -> list[int]:
    """Return at which counts something went wrong."""
    faults = Faults(FaultScript(seed=seed, rules=rules))
    return [count for count in range(1, times + 1) if faults.draw(endpoint) is not None]


def test_a_rule_happens_at_its_counts_and_at_its_endpoint_alone():
    """Each endpoint counts for itself."""
    rule = FaultRule(kind=FaultKind.ANSWER_LOST, endpoint=Endpoint.SUBMIT, counts=(2, 5))

    assert drawn(rule, times=9) == [2, 5]
    assert drawn(rule, times=9, endpoint=Endpoint.CANCEL) == []


def test_a_probability_is_kept_and_a_seed_repeats_it():
    """About a tenth, at the same counts for the same seed, at others for another one."""
    rule = FaultRule(kind=FaultKind.ANSWER_LOST, endpoint=Endpoint.SUBMIT, probability_ppm=100_000)
    found = drawn(rule, times=10_000)

    assert 850 <= len(found) <= 1150
    assert found == drawn(rule, times=10_000)
    assert found != drawn(rule, times=10_000, seed=2)


def test_one_more_rule_changes_nothing_in_another_and_the_first_one_holds():
    """Each rule draws from a source of its own, whether it is the one that happens or not."""
    rare = FaultRule(kind=FaultKind.REQUEST_LOST, endpoint=Endpoint.SUBMIT, probability_ppm=50_000)
    first = FaultRule(kind=FaultKind.HALF_OPEN, endpoint=Endpoint.SUBMIT, counts=(1, 2, 3))
    faults = Faults(FaultScript(seed=3, rules=(rare, first)))
    kinds = [rule.kind if (rule := faults.draw(Endpoint.SUBMIT)) else None for _ in range(1000)]

    assert [at for at, kind in enumerate(kinds, 1) if kind is FaultKind.REQUEST_LOST] == drawn(
        rare, times=1000, seed=3
    )
    assert [seen.count for seen in faults.seen if seen.kind is FaultKind.HALF_OPEN] == [1, 2, 3]


def test_a_rule_happens_at_most_as_often_as_it_says():
    """Two rules of the same values count for themselves."""
    rule = FaultRule(
        kind=FaultKind.ANSWER_LOST, endpoint=Endpoint.SUBMIT, probability_ppm=1_000_000, times_max=2
    )

    assert drawn(rule, times=9) == [1, 2]
    assert drawn(rule, msgspec.structs.replace(rule), times=9) == [1, 2, 3, 4]


@pytest.mark.parametrize(
    "changes",
    [
        {"kind": FaultKind.FRAME_LOST},
        {"kind": FaultKind.ANSWER_LOST, "endpoint": Endpoint.STREAM_FILL},
        {"kind": FaultKind.FRAME_LOST, "endpoint": Endpoint.STREAM},
        {"counts": ()},
        {"counts": (0,)},
        {"probability_ppm": 5},
        {"counts": (), "probability_ppm": 1_000_001},
        {"delay_ms": -1},
        {"status": 200},
        {"times_max": 0},
        {"retry_after_seconds": -1},
    ],
)
def test_a_fault_that_cannot_happen_is_refused(changes):
    """A script with a fault at the wrong place would test nothing."""
    plain = {"kind": FaultKind.ANSWER_LOST, "endpoint": Endpoint.SUBMIT, "counts": (1,)}
    with pytest.raises(InvalidValueError):
        FaultRule(**(plain | changes))


def test_a_script_is_read_from_toml():
    """As docs/local-venue.md shows it."""
    text = 'seed = 4\n[[rules]]\nkind = "frame_unsent"\nendpoint = "stream_fill"\ncounts = [3]\n'
    script = msgspec.toml.decode(text, type=FaultScript)

    assert script.rules[0] == FaultRule(
        kind=FaultKind.FRAME_UNSENT, endpoint=Endpoint.STREAM_FILL, counts=(3,)
    )
    with pytest.raises(msgspec.ValidationError):
        msgspec.toml.decode(text.replace("unsent", "unknown"), type=FaultScript)


def access(right: Right = Right.TRADE, **limits) -> Access:
    """Make an access with one key."""
    found = Access(validity_window_ns=5 * SECOND_NS, limits=LimitSetting(**limits))
    found.add("key", "account", frozenset({right}))
    return found


def entry(
    gate: Access, *, right: Right = Right.TRADE, time_ns: int = NOW_NS, nonce: str = "1", now_ns=NOW_NS
):
    """Return why a request is not let in."""
    denied = gate.check("key", right, time_ns=time_ns, nonce=nonce, now_ns=now_ns)
    return denied.code if denied is not None else None


@pytest.mark.parametrize(
    ("held", "may"),
    [
        (Right.TRADE, {Right.TRADE, Right.CANCEL, Right.QUERY}),
        (Right.CANCEL, {Right.CANCEL, Right.QUERY}),
        (Right.QUERY, {Right.QUERY}),
        (Right.TRUTH, {Right.TRUTH}),
    ],
)
def test_a_key_may_do_what_it_is_for_and_nothing_else(held, may):
    """Who may trade may cancel; nobody but a test reads the truth."""
    for right in Right:
        assert (entry(access(held), right=right) is None) is (right in may), right


def test_a_timestamp_is_within_the_window_on_both_sides():
    """To the nanosecond."""
    window_ns = 5 * SECOND_NS
    found = [
        entry(access(), time_ns=NOW_NS + off)
        for off in (-window_ns - 1, -window_ns, window_ns, window_ns + 1)
    ]

    assert found == ["outside_window", None, None, "outside_window"]


def test_a_nonce_is_used_once_for_as_long_as_its_timestamp_could_be_used():
    """After that the timestamp is refused, so that the nonce need not be kept."""
    gate = access()
    assert entry(gate, nonce="n") is None
    assert entry(gate, nonce="n") == "nonce_used"
    # A timestamp as far ahead as it may be is good for two windows.
    ahead_ns = NOW_NS + 5 * SECOND_NS
    assert entry(gate, nonce="m", time_ns=ahead_ns) is None
    late_ns = NOW_NS + 10 * SECOND_NS
    assert entry(gate, nonce="m", time_ns=ahead_ns, now_ns=late_ns) == "nonce_used"
    assert entry(gate, nonce="m", time_ns=ahead_ns, now_ns=late_ns + 1) == "outside_window"
    assert entry(gate, nonce="x", time_ns=late_ns, now_ns=late_ns + SECOND_NS) is None
    assert len(gate._keys["key"].nonces) == len(gate._keys["key"].order) == 1
    assert entry(access(), nonce="") == entry(access(), nonce="n" * 65) == "nonce_used"


def test_a_refused_request_uses_up_no_nonce():
    """Who was refused for its time signs anew with the same nonce, if it likes."""
    gate = access()

    assert entry(gate, nonce="n", time_ns=0) == "outside_window"
    assert entry(gate, nonce="n") is None


def test_weights_run_out_and_come_back():
    """A budget of ten and five in a second; the wait that is named is long enough, and not longer."""
    gate = access(per_second=5, burst=10, weights={"fills": 4})
    spent = [gate.spend("key", "fills", now_ns=NOW_NS) for _ in range(3)]
    assert [denied is None for denied, _ in spent] == [True, True, False]
    assert [left for _, left in spent] == [6, 2, 2]
    denied = spent[2][0]
    assert (denied.status, denied.retry_after_ns) == (429, 400_000_000)

    assert gate.spend("key", "fills", now_ns=NOW_NS + denied.retry_after_ns - 1)[0] is not None
    assert gate.spend("key", "fills", now_ns=NOW_NS + denied.retry_after_ns)[0] is None
    assert gate.spend("key", "time", now_ns=NOW_NS + 100 * SECOND_NS) == (None, 9)


def test_no_limit_is_no_limit():
    """`per_second` 0."""
    gate = access(per_second=0)

    assert all(gate.spend("key", "fills", now_ns=NOW_NS)[0] is None for _ in range(100_000))


def test_a_secret_is_never_shown():
    """Not by any way a value reaches a log, a file or another process."""
    secret = Secret("hunter2")

    shown = [
        repr(secret),
        str(secret),
        f"{secret}",
        f"{secret:>9}",
        f"{secret!r}",
        f"{[secret]}",
        "".join(map(str, [secret])),
    ]
    assert all("hunter2" not in text and "***" in text for text in shown)
    assert secret.reveal() == "hunter2"
    assert (secret == Secret("hunter2"), secret == Secret("hunter3"), secret == "hunter2") == (
        True,
        False,
        False,
    )
    with pytest.raises(TypeError, match="a secret is not copied"):
        secret.__reduce__()
    with pytest.raises(TypeError):
        msgspec.json.encode(secret)
    assert not hasattr(secret, "__dict__")
