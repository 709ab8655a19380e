"""One door to a journal: nobody but `JournalFolder` opens, renames, locks or lists its files."""

import ast
import os

import pytest

from support.tree import files, name_of, tree_of
from tradecore_audit import files as files_module

DOOR = "python/tradecore/domain/journal_folder.py"
# What the door stands before. An annotation may name a writer or a reader; only the door may make one.
MAKERS = (
    *("JournalWriter.open", "JournalReader", "journal_verify", "journal_set_aside", "journal_succeed"),
    *("journal_pack", "journal_drop_market_events", "journal_archives", "journal_backup", "journal_identity"),
)
# The auditor shares no code with what it audits: it reads by code of its own, and changes no file.
AUDITOR = "api/tradecore_audit/"
CHANGES = {"rename", "replace", "unlink", "touch", "chmod", "write_bytes", "write_text", "mkdir"}
# What is done to a file by its path.
ON_FILES = {"open", "rename", "replace", "unlink", "stat", "touch", "glob", "iterdir", "read_bytes", "chmod"}
LAYOUT = ("TCJOURN", ".torn-")
# The whole sweep over the native module calls everything in it.
SWEEP = "tests/support/core_sweep.py"
PROGRAM = ("python", "api", "adapters", "benches", "examples", "tools")


def calls(source: ast.Module):
    """Yield line and dotted text of everything that is called."""
    for node in ast.walk(source):
        if isinstance(node, ast.Call):
            yield node.lineno, ast.unparse(node.func)


def makers_called(source: ast.Module) -> list[int]:
    """Return the lines that make a writer, a reader or a verdict without the door."""
    return [
        line
        for line, name in calls(source)
        if any(name == maker or name.endswith(f".{maker}") for maker in MAKERS)
    ]


def files_touched(source: ast.Module) -> list[int]:
    """Return the lines that do something to a file that is called a journal, or know how its bytes begin."""
    touched = [
        line
        for line, name in calls(source)
        if name.rpartition(".")[2] in ON_FILES and "journal" in name.rpartition(".")[0].lower()
    ]
    texts = [
        node.lineno
        for node in ast.walk(source)
        if isinstance(node, ast.Constant)
        and any(part in (node.value if isinstance(node.value, str) else repr(node.value)) for part in LAYOUT)
        and ast.get_docstring(source, clean=False) != node.value
    ]
    return [*touched, *texts]


def test_writers_readers_and_verdicts_come_from_the_door():
    """Also in tests: segments can come without a change to any of them."""
    found = [
        f"{name_of(path)}:{line}: use JournalFolder(path).writer, reader, verify or set_aside"
        for path in files(".py")
        if name_of(path) not in (DOOR, SWEEP)
        for line in makers_called(tree_of(path))
    ]
    assert not found, "\n".join(found)


def test_nobody_else_touches_the_files_of_a_journal():
    """Their names, their first bytes and what is done to them as files are known to the door and to Rust."""
    found = [
        f"{name_of(path)}:{line}: let JournalFolder do it"
        for folder in PROGRAM
        for path in files(".py", below=folder)
        if name_of(path) != DOOR and "/tests/" not in name_of(path)
        if not name_of(path).startswith(AUDITOR)
        for line in files_touched(tree_of(path))
    ]
    assert not found, "\n".join(found)


def test_the_auditor_changes_no_file():
    """It reads journals past the door, which the other test lets it do, so it must not write at all."""
    found = [
        f"{name_of(path)}:{line}: {name}"
        for path in files(".py", below=AUDITOR)
        for line, name in calls(tree_of(path))
        if name.rpartition(".")[2] in CHANGES and not name.startswith("msgspec.") and "structs" not in name
    ]
    assert found == []
    opened = {
        (name_of(path), ast.unparse(node))
        for path in files(".py", below=AUDITOR)
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] in ("open", "fdopen")
        if ast.unparse(node.func) != "books.open"
    }
    only = f"{AUDITOR}files.py"
    assert opened == {(only, "os.open(path, _FLAGS)"), (only, "os.fdopen(descriptor, 'rb')")}
    assert files_module._FLAGS & ~getattr(os, "O_NONBLOCK", 0) & ~getattr(os, "O_BINARY", 0) == os.O_RDONLY


def test_in_rust_the_locks_and_names_are_in_one_folder():
    """The writer takes them from there, and so does who sets a journal aside."""
    homes = {
        "try_lock()": {"rust/journal/src/folder/lock.rs"},
        "fs::rename(": {"rust/journal/src/folder/disk.rs", "rust/journal/src/recover.rs"},
        "fs::hard_link(": {"rust/journal/src/folder/disk.rs"},
        "fs::remove_file(": {"rust/journal/src/folder/disk.rs", "rust/journal/src/recover.rs"},
        '"lock"': {"rust/journal/src/folder/lock.rs"},
    }
    for text, allowed in homes.items():
        found = {
            name_of(path)
            for path in files(".rs", below="rust/journal/src")
            if not path.name.startswith("crash_tests")
            if text in path.read_text(encoding="utf-8")
        }
        assert found == allowed, text


@pytest.mark.parametrize(
    "way",
    [
        "JournalWriter.open(path, 0)",
        "_core.JournalReader(path)",
        "journal_verify(path)",
        "journal_path.rename(other)",
        "Path(journal_path).open('rb')",
        "self._journal.absolute.unlink()",
        "magic = b'TCJOURN\\n'",
    ],
)
def test_a_way_around_the_door_is_found(way):
    """The rules above see what they are for."""
    source = ast.parse(way)
    assert makers_called(source) or files_touched(source)
