"""Paths of settings: what no system takes, what is no file, and what leaves no room for files beside it."""

import os
import sys

import pytest

from tradecore_api.config import paths

# A path of exactly as many bytes as there may be, of names that are short.
LONGEST = "/".join(["a" * 99] * 40) + "/" + "b" * (paths.PATH_BYTES_MAX - 40 * 100)


def told(check, path, **options):
    """Return the one rule that is reported of a path, if any."""
    reports = []
    check("journal.path", str(path), lambda *report: reports.append(report), **options)
    assert len(reports) < 2
    for key, value, _ in reports:
        assert (key, value) == ("journal.path", str(path))
    return reports[0][2] if reports else None


@pytest.mark.parametrize(
    ("path", "rule"),
    [
        ("a/b.journal", None),
        ("", "must not be empty"),
        ("a\0b", "NUL"),
        ("a\udc80b", "UTF-8"),
        (LONGEST, None),
        (LONGEST + "c", "a path has at most 4095 bytes"),
        ("n" * 255, None),
        ("n" * 256, "a name in a path has at most 255 bytes"),
        ("a/" + "n" * 256 + "/c", "a name in a path has at most 255 bytes"),
        ("é" * 127, None),
        ("é" * 128, "a name in a path has at most 255 bytes"),
    ],
)
def test_a_text_that_no_system_takes_for_a_path_is_told_by_its_rule(path, rule):
    """Lengths are those of the bytes that a system sees, each at its boundary."""
    said = paths.text_rule(path)

    assert said is None if rule is None else rule in said


def test_an_input_is_a_file_that_is_there(tmp_path):
    """A directory is told from nothing at all, and a text that is no path from both."""
    (tmp_path / "file").touch()

    assert told(paths.check_input, tmp_path / "file") is None
    assert told(paths.check_input, tmp_path) == "is a directory; name a file"
    assert told(paths.check_input, tmp_path / "none") == "no such file"
    assert "at most 255 bytes" in told(paths.check_input, tmp_path / ("n" * 256))


@pytest.mark.parametrize(
    ("name", "bytes_max"),
    [("n" * 200, None), ("n" * 201, 200), ("é" * 100, None), ("é" * 101, 200), ("n" * 256, 255)],
)
def test_the_name_of_an_output_leaves_room_for_those_of_the_files_beside_it(tmp_path, name, bytes_max):
    """Its lock has a longer name; what no system takes is told by the rule of the system."""
    said = told(paths.check_output, tmp_path / name, must_work=True)

    assert said is None if bytes_max is None else f"at most {bytes_max} bytes" in said


@pytest.mark.parametrize("must_work", [False, True])
def test_an_output_may_be_missing_and_may_be_a_file_but_nothing_else(tmp_path, must_work):
    """What is in the way now counts against each; what a path leads through only where it must work."""
    (tmp_path / "file").touch()

    assert told(paths.check_output, tmp_path / "file", must_work=must_work) is None
    assert told(paths.check_output, tmp_path / "new" / "deep" / "file", must_work=must_work) is None
    assert told(paths.check_output, tmp_path, must_work=must_work) == "is a directory; name a file"
    through = told(paths.check_output, tmp_path / "file" / "inner", must_work=must_work)
    assert through == (f"leads through {tmp_path / 'file'}, which is no directory" if must_work else None)


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such pipes")
def test_a_pipe_is_no_output(tmp_path):
    """Nobody could write a journal to it and read it again."""
    os.mkfifo(tmp_path / "pipe")

    assert "is a pipe" in told(paths.check_output, tmp_path / "pipe", must_work=False)


@pytest.mark.parametrize(
    ("refused", "rule"),
    [
        ("file", "cannot be read and written by this user"),
        ("", "cannot be made: {folder} cannot be written to"),
        ("other", None),
    ],
)
def test_an_output_that_must_work_is_one_this_user_may_write(tmp_path, monkeypatch, refused, rule):
    """The file itself counts if it is there, else the nearest directory above it."""
    (tmp_path / "file").touch()
    name = "file" if refused == "file" else "new/file"
    monkeypatch.setattr(os, "access", lambda path, _: path != tmp_path / refused)

    wanted = rule and rule.format(folder=tmp_path)
    assert told(paths.check_output, tmp_path / name, must_work=True) == wanted
    assert told(paths.check_output, tmp_path / name, must_work=False) is None
