"""What `status` says about money and ends: the parts of a sum, and the words of the run that they are of."""

import itertools
from decimal import Decimal

import pytest

from tradecore_api.commands.status import _head, _parts, _Told
from tradecore_api.last_words import LastWords
from tradecore_api.standing import DEAD, RUNNING, STOPPED, AccountStatus, age_text

AMOUNTS = ("0", "125.50", "-40.25")


@pytest.mark.parametrize(
    ("realised", "unrealised", "fees", "rest"),
    list(itertools.product(AMOUNTS, AMOUNTS, ("0", "3.75"), AMOUNTS)),
)
def test_the_parts_of_a_profit_add_up_to_it(realised, unrealised, fees, rest):
    """Fees are taken off; what is left over is funding, and is not told when there is none."""
    pnl = Decimal(realised) + Decimal(unrealised) - Decimal(fees) + Decimal(rest)
    told = _Told(pnl=str(pnl), realised=realised, unrealised=unrealised, fees=fees)
    parts = {name: Decimal(text.replace(",", "")) for name, text in _parts(told)}

    assert sum(parts.values()) == pnl
    assert parts.get("funding, interest, liquidations, adjustments, a journal before", 0) == Decimal(rest)
    assert ("funding, interest, liquidations, adjustments, a journal before" in parts) == (Decimal(rest) != 0)


@pytest.mark.parametrize("missing", ["pnl", "realised", "unrealised", "fees"])
def test_an_answer_with_a_part_missing_has_no_rest(missing):
    """An engine of another version may say less than this one."""
    told = {"pnl": "1", "realised": "1", "unrealised": "1", "fees": "1"} | {missing: ""}

    assert [name for name, _ in _parts(_Told(**told))] == ["realised", "unrealised"]


@pytest.mark.parametrize("state", [DEAD, STOPPED, RUNNING])
@pytest.mark.parametrize("why", ["the disk is full", "it was killed"])
def test_the_end_of_a_run_is_told_beside_its_reason_alone(state, why):
    """The last words are of a run; where another reason is given for this state they are not of it."""
    words = LastWords(
        time_ns=0, pid=1, is_clean=False, exit_code=74, reason="the disk is full", notes=("one", "two")
    )
    entry = AccountStatus(
        account="one",
        state=state,
        pid=None,
        heartbeat_age_seconds=None,
        is_kill_latched=False,
        heartbeat=None,
        engine={},
        why=why,
        last_words=words,
    )
    told = _head(entry, None)

    is_told = state == DEAD and why == words.reason
    assert told.get("notes") == ("one; two" if is_told else None)
    assert told.get("ended") == ("1970-01-01T00:00:00Z, exit code 74" if is_told else None)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(None, "never"), (0.0, "0 ns ago"), (0.4, "400 ms ago"), (2.0, "2 s ago"), (90.0, "1.5 min ago")],
)
def test_an_age_is_told_in_words(seconds, words):
    """In the largest unit of which it has one; what never happened has no age."""
    assert age_text(seconds) == words
