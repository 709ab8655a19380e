"""What README.md tells a reader to type works as it stands.

Blocks fenced as `sh` hold one command a line, blocks fenced as `python` a program. A block that is not
`sh` and whose first line is `# file: NAME` is saved under that name for the commands after it instead of
being run. A block after the comment `<!-- not run: reason -->` is left out.
"""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from support.shared import ROOT

COMMAND_SECONDS_MAX = 150
FENCE = re.compile(r"(?P<before>[^\n]*)\n+```(?P<language>\w+)\n(?P<body>.*?)\n```", re.DOTALL)


class Block(NamedTuple):
    """One fenced block: its language, text, and whether it is left out."""

    language: str
    body: str
    left_out: bool


def blocks() -> list[Block]:
    """Read the fenced blocks in their order."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    return [
        Block(match["language"], match["body"], "not run:" in match["before"])
        for match in FENCE.finditer(text)
    ]


def make_targets() -> set[str]:
    """Read what make can be told."""
    return set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


def run(command: str, folder: Path) -> None:
    """Run one line as a reader would, with the environment's programs first."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = {**os.environ, "PATH": path, "TRADECORE_STATE_DIR": str(folder / "state"), "NO_COLOR": "1"}
    done = subprocess.run(
        ["/bin/sh", "-c", command],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=COMMAND_SECONDS_MAX,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="the README shows POSIX commands")
@pytest.mark.timeout(600)
def test_every_command_and_program_of_the_readme_runs(tmp_path):
    """Typed in their order in one folder, all commands end with 0 and all programs run."""
    for name in ("examples", "benches"):
        (tmp_path / name).symlink_to(ROOT / name)
    programs = 0
    for block in blocks():
        named = re.match(r"# file: (\S+)", block.body)
        if block.left_out or not (named or block.language in {"sh", "python"}):
            continue
        if named or block.language == "python":
            programs += block.language == "python"
            target = tmp_path / (named[1] if named else f"program_{programs}.py")
            target.write_text(block.body + "\n")
            if not named:
                run(f"'{sys.executable}' {target.name}", tmp_path)
            continue
        for line in block.body.splitlines():
            command = line.split(" #")[0].strip()
            if command.startswith("make"):
                # Running make here would run this test again: the target has to exist.
                assert set(re.findall(r"\b[a-z]+\b", command)) - {"make"} <= make_targets(), command
            elif command and not command.startswith(("#", "git clone", "cd ")):
                run(command, tmp_path)
    assert programs >= 1


def test_the_readme_names_the_two_commands():
    """A reader finds `make run` and `make test` first."""
    shell = "\n".join(block.body for block in blocks() if block.language == "sh")

    assert "make run" in shell
    assert "make test" in shell
