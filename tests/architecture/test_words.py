"""The words of the glossary in ARCHITECTURE.md are used for what it says there, and for nothing else."""

import ast
import re

import pytest

from support.shared import ROOT
from support.tree import files, name_of, tree_of

NAMES = re.compile(r"\b(?:struct|enum|trait|type|fn|mod|class|def)\s+(\w+)")
# Of each word the names that may have it as one of their parts, beside those of tests.
ALLOWED = {
    "execution": {"Execution", "note_execution"},
    "verdict": {"GateVerdict", "Verdict", "gate_verdict", "margin_verdict", "verdict", "verdict_object"},
    "desk": {"BarDesk", "PyOrderDesk", "bar_desk", "desk"},
    "judge": {"judge", "judge_and_send", "judge_exit", "judge_gated"}
    | {"judge_part", "judge_risk", "judge_size"},
    "wish": {"Wish", "wish"},
}
# The local venue is another program, which an engine knows as it knows an exchange: its words are its own.
ELSEWHERE = r"^adapters/local/|/testkit/local_venue/"
SOURCES = [
    path
    for below in ("rust", "python", "adapters", "api")
    for path in files(".rs", ".py", below=below)
    if not re.search(rf"/(tests|benches)/|tests\.rs$|properties\.rs$|{ELSEWHERE}", name_of(path))
]


def named(word: str) -> set[str]:
    """Return the names of types and functions of which a word, or its plural, is a part."""
    parts = re.compile(rf"(^|_){word}s?(_|$)")
    found: set[str] = set()
    for path in SOURCES:
        for name in NAMES.findall(re.sub(r"(//|#).*", "", path.read_text(encoding="utf-8"))):
            snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
            if parts.search(snake):
                found.add(name)
    return found


@pytest.mark.parametrize("word", sorted(ALLOWED))
def test_a_word_of_the_glossary_names_one_thing(word):
    """Whoever needs a name for another thing takes another word."""
    assert named(word) - ALLOWED[word] == set()


def test_a_function_that_begins_with_take_takes_something_out_and_returns_it():
    """Nothing that takes in, takes back or takes liquidity begins so."""
    silent = [
        f"{name_of(path)}: {found['name']}"
        for path in SOURCES
        if path.suffix == ".rs"
        for found in re.finditer(
            r"fn (?P<name>take_\w+)[^{;]*?\)(?P<answer>\s*->[^{;]+)?\s*(where[^{]*)?[{;]",
            path.read_text(encoding="utf-8"),
        )
        if not found["answer"] or "Result<()" in found["answer"]
    ]
    silent += [
        f"{name_of(path)}: {node.name}"
        for path in SOURCES
        if path.suffix == ".py"
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.FunctionDef) and re.match(r"_?take_", node.name)
        if node.returns is None or ast.unparse(node.returns) == "None"
    ]

    # It moves the frames to the end of what it is given, so that their memory is kept.
    assert silent == ["rust/kernel/src/kernel.rs: take_frames", "rust/kernel/src/recorder.rs: take_frames"]


def test_no_price_is_a_number_that_stands_for_none():
    """What may be missing is an `Option` wherever one room hands it to another."""
    found = [name_of(path) for path in SOURCES if "KEEPS_PRICE" in path.read_text(encoding="utf-8")]
    fields = [
        (name, doc)
        for name in ("report.rs", "sent.rs", "event.rs")
        for doc, field in re.findall(
            r"/// ([^\n]*)\n\s*(?:pub )?(\w+_ticks): i64,",
            (ROOT / "rust" / "types" / "src" / name).read_text(encoding="utf-8"),
        )
        if re.search(r"\b0 (keeps|where|when|for)\b", doc) and field
    ]

    assert (found, fields) == ([], [])
