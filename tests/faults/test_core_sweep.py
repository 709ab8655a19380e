"""No call of the native core panics, aborts or runs out of memory: odd values, odd settings, many threads."""

import json
import random
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[1] / "support" / "core_sweep.py"
SECONDS = 4


def swept(how, tmp_path):
    """Sweep in a process of its own and return what it called."""
    seed = random.SystemRandom().randrange(2**32)
    done = subprocess.run(
        [sys.executable, str(SCRIPT), how, str(SECONDS), str(seed), str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, f"seed {seed}: {done.returncode}\n{done.stderr[:6_000]}"
    said = json.loads(done.stdout)
    # A book is shown by engines that follow one, and a liquidation takes an account that is ruined.
    assert set(said["missing"]) <= {"Book", "Liquidation", "LentColumns"}
    return said["called"]


@pytest.mark.timeout(90)
def test_odd_values_are_refused_in_words(tmp_path):
    """2**63, -1, 10**13, NaN, infinities, nothing and a million letters, in every place of every method."""
    called = swept("odd", tmp_path)
    assert len(called) > 250
    assert min(called.values()) > 10


@pytest.mark.timeout(90)
@pytest.mark.without(
    "memory",
    works="what asks for more than there is gets an error in words; nothing aborts",
)
def test_odd_settings_are_refused_in_words(tmp_path):
    """Every setting of an engine, and the history of its strategies."""
    called = swept("specs", tmp_path)
    assert called["InvalidSpecError"] > 100
    assert called["run"] > 100


@pytest.mark.timeout(90)
def test_many_threads_at_once_get_an_answer_or_an_error(tmp_path):
    """Eight threads call everything; what runs the engine meanwhile is never kept from it."""
    called = swept("threads", tmp_path)
    assert called["runs"] > 20
    assert [words for words in called if words.startswith("refused:")] == []
