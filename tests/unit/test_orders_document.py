"""The programs in the documents about orders do what the documents say."""

import re
import subprocess
import sys

import pytest

from support.shared import ROOT


@pytest.mark.parametrize("page", ["orders.md", "gates.md"])
def test_the_program_of_the_document_runs(page) -> None:
    """It ends with an assertion of everything that its strategy is told."""
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    programs = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    assert len(programs) == 1
    done = subprocess.run([sys.executable, "-c", programs[0]], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
