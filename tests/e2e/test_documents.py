"""What the documents tell a reader to type works as it stands, and a reader finds every document.

A page is read from its top to its end, in a folder of its own in which `examples` and `benches` are those
of the repository. Blocks fenced as `sh` hold one command a line, blocks fenced as `python` a program. A
block whose first line is `# file: NAME` is saved under that name for what comes after it, instead of being
run. A block after the comment `<!-- not run: reason -->` is left out. Every other block is `toml` that can
be read, or is only to look at.
"""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import NamedTuple

import pytest

from support.shared import ROOT

COMMAND_SECONDS_MAX = 150
FENCE = re.compile(r"(?P<before>[^\n]*)\n+```(?P<language>\w+)\n(?P<body>.*?)\n```", re.DOTALL)
INDEX = ROOT / "docs" / "README.md"
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
LANGUAGES = {"sh", "python", "toml", "text", "ini", "json", "mermaid"}
# Of all pages together: a document is for what can be tried.
LEFT_OUT_MAX = 12


class Block(NamedTuple):
    """One fenced block: its language, text, and whether it is left out."""

    language: str
    body: str
    left_out: bool

    @property
    def saved_as(self) -> str | None:
        """Name the file that the block is, if it is one."""
        named = re.match(r"# file: (\S+)", self.body)
        return named[1] if named else None


def blocks(page: Path) -> list[Block]:
    """Read the fenced blocks of a page in their order."""
    return [
        Block(match["language"], match["body"], "not run:" in match["before"])
        for match in FENCE.finditer(page.read_text(encoding="utf-8"))
    ]


def name(page: Path) -> str:
    """Name a page by its path in the repository."""
    return page.relative_to(ROOT).as_posix()


def make_targets() -> set[str]:
    """Read what make can be told."""
    return set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


def extras() -> set[str]:
    """Read what `pip install "tradecore[...]"` can be told."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return set(project.get("optional-dependencies", {}))


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


def follow(block: Block, folder: Path, number: int) -> None:
    """Do with a block what a reader does."""
    if block.saved_as:
        (folder / block.saved_as).write_text(block.body + "\n")
    elif block.language == "python":
        (folder / f"program_{number}.py").write_text(block.body + "\n")
        run(f"'{sys.executable}' program_{number}.py", folder)
    elif block.language == "toml":
        tomllib.loads(block.body)
    elif block.language == "sh":
        for line in block.body.splitlines():
            command = line.split(" #")[0].strip()
            if command.startswith("make"):
                # Running make here would run this test again: the target has to exist.
                assert set(re.findall(r"\b[a-z][a-z-]*\b", command)) - {"make"} <= make_targets(), command
            elif command.startswith("pip install"):
                # Installing needs a network: the extras that are named have to exist.
                assert set(re.findall(r"tradecore\[(\w+)\]", command)) <= extras(), command
            elif command and not command.startswith(("#", "git clone", "cd ", ". ")):
                run(command, folder)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="the documents show POSIX commands")
@pytest.mark.timeout(600)
@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_command_and_program_of_a_page_runs(page, tmp_path):
    """Typed in their order in one folder, all commands end with 0 and all programs run."""
    for folder in ("examples", "benches"):
        (tmp_path / folder).symlink_to(ROOT / folder)
    for number, block in enumerate(blocks(page)):
        assert block.language in LANGUAGES, block.language
        if not block.left_out:
            follow(block, tmp_path, number)


def test_few_blocks_are_left_out_and_each_says_why():
    """Each page is to be tried; what needs a network or another machine says so."""
    left_out = [
        f"{name(page)}: {block.body[:60]}" for page in PAGES for block in blocks(page) if block.left_out
    ]

    assert len(left_out) <= LEFT_OUT_MAX, left_out
    for page in PAGES:
        for reason in re.findall(r"<!-- not run:(.*?)-->", page.read_text(encoding="utf-8")):
            assert len(reason.split()) >= 3, f"{name(page)}: {reason}"


def test_every_page_is_reached_from_the_index():
    """Docs/README.md leads to each page, and the README leads to the index."""

    def targets(page: Path) -> set[Path]:
        links = re.findall(r"\]\(([^)#\s]+)", page.read_text(encoding="utf-8"))
        return {(page.parent / link).resolve() for link in links if "://" not in link}

    reached = targets(INDEX)
    assert INDEX in targets(ROOT / "README.md")
    assert sorted(name(page) for page in PAGES if page not in reached | {INDEX}) == []


def test_the_readme_names_the_two_commands():
    """A reader finds `make run` and `make test` first."""
    shell = "\n".join(block.body for block in blocks(ROOT / "README.md") if block.language == "sh")

    assert "make run" in shell
    assert "make test" in shell
