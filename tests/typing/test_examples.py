"""Two type checkers accept what a reader copies: the examples, and the Python of the documents."""

import json
import re
import subprocess
import sys

import pytest

from support.shared import ROOT

PROGRAM = re.compile(r"```python\n(?P<body>.*?)\n```", re.DOTALL)
DOCUMENTS = (
    "README.md",
    "docs/frames.md",
    "docs/tutorial.md",
    "docs/how-to/brackets.md",
    "docs/how-to/data.md",
    "docs/how-to/no-trades.md",
    "docs/how-to/notebooks.md",
)


def programs(folder) -> list[str]:
    """Write the programs of the documents as files, under their name if they have one; return the names."""
    names = []
    for document in DOCUMENTS:
        text = (ROOT / document).read_text(encoding="utf-8")
        for number, body in enumerate(match["body"] for match in PROGRAM.finditer(text)):
            named = re.match(r"# file: (\S+)", body)
            name = named[1] if named else f"{re.sub(r'[^a-z]', '_', document.lower())}_{number}.py"
            (folder / name).write_text(body + "\n")
            names.append(name)
    return names


def checked(command, folder) -> subprocess.CompletedProcess:
    """Run a checker where the programs of the documents lie."""
    return subprocess.run(command, cwd=folder, capture_output=True, text=True)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_mypy_in_its_strict_mode_accepts_the_programs_of_the_documents(tmp_path):
    """The examples themselves are among the files of the whole project."""
    names = programs(tmp_path)
    options = ["--strict", "--scripts-are-modules", "--no-error-summary", f"--cache-dir={tmp_path / 'cache'}"]

    done = checked([sys.executable, "-m", "mypy", *options, *names], tmp_path)

    assert len(names) >= 2
    assert (done.stdout, done.returncode) == ("", 0), done.stderr


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_pyright_in_its_strict_mode_accepts_the_examples_and_the_programs_of_the_documents(tmp_path):
    """Judged by the rules of pyright; a strategy with a wrong call of the context is found."""
    names = programs(tmp_path)
    (tmp_path / "wrong.py").write_text(
        "from tradecore import Bar, Context\n\n\nclass Wrong:\n"
        "    def on_bar(self, ctx: Context, bar: Bar) -> None:\n        ctx.buy(quantty=1)\n"
        "        ctx.history('close', 3).appendd(1)\n"
    )
    settings = {
        "include": [*names, "wrong.py", str(ROOT / "examples")],
        "typeCheckingMode": "strict",
        "pythonVersion": "3.11",
        "extraPaths": [str(tmp_path)],
        # Frames come from libraries with types of their own, some of which are unknown in part.
        "reportUnknownMemberType": "none",
        "reportUnknownVariableType": "none",
        "reportUnknownArgumentType": "none",
        "reportMissingTypeStubs": "none",
    }
    (tmp_path / "pyrightconfig.json").write_text(json.dumps(settings))

    done = checked(
        [sys.executable, "-m", "basedpyright", "--outputjson", "--pythonpath", sys.executable], tmp_path
    )
    found = json.loads(done.stdout)
    problems = [
        f"{item['file']}:{item['range']['start']['line'] + 1}: {item['message']}"
        for item in found["generalDiagnostics"]
        if item["severity"] == "error"
    ]

    assert found["summary"]["filesAnalyzed"] > len(names)
    assert [line for line in problems if "wrong.py" not in line] == []
    assert len([line for line in problems if "wrong.py" in line]) >= 2, problems
