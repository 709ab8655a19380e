"""What a live engine remembers is bounded: once that is full, orders and fills leave nothing behind."""

import json
import os
import subprocess
import sys

import pytest

from support.nightly import size
from support.shared import ROOT

if sys.platform != "linux":
    pytest.skip("the memory of a process is read in /proc", allow_module_level=True)

MIB = 1 << 20
PART = 40_000
# Names and trades that are remembered are 65,536 each: they are full after the second part.
FULL_PARTS = 3
PARTS = size(6, 25)


@pytest.mark.slow
@pytest.mark.nightly
@pytest.mark.timeout(size(180, 900))
def test_a_live_engine_grows_no_more_once_what_it_remembers_is_full():
    """Over 120,000 orders, each taken and filled: less than a MiB, where closed trades alone were 6."""
    command = [
        sys.executable,
        str(ROOT / "tests" / "support" / "remembered.py"),
        str(PART * PARTS),
        str(PART),
    ]
    done = subprocess.run(command, env=os.environ, capture_output=True, text=True, check=True, timeout=800)
    seen = json.loads(done.stdout)
    assert [fills for _, fills in seen] == [PART * (number + 1) for number in range(PARTS)]
    memory = [bytes_held for bytes_held, _ in seen]
    assert memory[-1] - memory[FULL_PARTS - 1] < MIB, [round(each / MIB, 1) for each in memory]
    assert memory[-1] < 80 * MIB
