"""The program in docs/orders.md does what the document says."""

import re
import subprocess
import sys

from support.shared import ROOT


def test_the_program_of_the_document_runs() -> None:
    """It ends with an assertion of everything that its strategy is told."""
    text = (ROOT / "docs" / "orders.md").read_text(encoding="utf-8")
    programs = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    assert len(programs) == 1
    done = subprocess.run([sys.executable, "-c", programs[0]], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
