"""The bad night of the examples comes to its end, and its page says what it prints."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from support.shared import ROOT

PAGE = ROOT / "docs/how-to/bad-night.md"
SECONDS_MAX = 240


@pytest.mark.slow
@pytest.mark.timeout(SECONDS_MAX + 30)
@pytest.mark.skipif(sys.platform == "win32", reason="a shell script, and signals of POSIX")
def test_the_night_ends_as_its_page_says(tmp_path):
    """Line by line; no process and no folder is left behind."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    done = subprocess.run(
        ["/bin/sh", str(ROOT / "examples/bad_night.sh")],
        cwd=tmp_path,
        env={**os.environ, "PATH": path, "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=SECONDS_MAX,
    )
    assert done.returncode == 0, (done.stdout, done.stderr[-3000:])
    (told,) = re.findall(r"^```text\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    assert done.stdout == told
    # What a killed engine leaves beside it is the folder of its control socket.
    assert [each for each in tmp_path.iterdir() if not each.name.startswith("tradecore-")] == []


def test_each_line_of_the_night_is_explained_once():
    """The page has a numbered paragraph for each, in their order."""
    page = PAGE.read_text()
    lines = re.findall(r"^(\d+)\. ", page, re.MULTILINE)
    count = len(lines) // 2
    assert lines == [*map(str, range(1, count + 1))] * 2
