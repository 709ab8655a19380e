"""The programs of docs/frames.md run as they stand, in a folder that has `examples` in it."""

import re
import subprocess
import sys

import pytest

from support.shared import ROOT

PROGRAM = re.compile(r"```python\n(?P<body>.*?)\n```", re.DOTALL)


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_every_program_of_the_page_runs_and_shows_what_it_says(tmp_path):
    """Files first, then the programs that need them; the picture is a picture."""
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    bodies = [
        match["body"] for match in PROGRAM.finditer((ROOT / "docs/frames.md").read_text(encoding="utf-8"))
    ]
    printed = []
    for body in sorted(bodies, key=lambda body: not body.startswith("# file:")):
        named = re.match(r"# file: (\S+)", body)
        (tmp_path / (named[1] if named else "program.py")).write_text(body + "\n")
        if not named:
            done = subprocess.run(
                [sys.executable, "program.py"], cwd=tmp_path, capture_output=True, text=True
            )
            assert (done.returncode, done.stderr) == (0, ""), done.stderr
            printed.append(done.stdout)

    assert printed[0].startswith("SmaCross on BTC-USD\n")
    assert (tmp_path / "sma-cross.png").read_bytes().startswith(b"\x89PNG")
    assert [line.split()[0] for line in printed[1].splitlines()] == ["5", "50"]


def test_the_example_runs_on_the_data_of_the_repository():
    """`python examples/frame_sma_cross.py` prints figures and trades."""
    done = subprocess.run(
        [sys.executable, "examples/frame_sma_cross.py"], cwd=ROOT, capture_output=True, text=True
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert "final_equity" in done.stdout
    assert "exit_price" in done.stdout or "..." in done.stdout
