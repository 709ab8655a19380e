"""Paths that no system takes, or that it does not let us look at, are told as data that cannot be used."""

import errno
import sys
from pathlib import Path

import pytest

from tradecore.domain import DataError, InstrumentSpec
from tradecore_files import inspect, load_trades

SPEC = InstrumentSpec(symbol="A", tick_size="1")


@pytest.mark.skipif(sys.platform == "win32", reason="names have another longest length there")
@pytest.mark.parametrize("path", ["n" * 300, "n" * 300 + ".csv", "n" * 300 + "*.csv"])
def test_a_name_that_is_too_long_is_told(path):
    """By itself, or as a pattern."""
    with pytest.raises(DataError, match="cannot be looked for: File name too long; check the path"):
        load_trades(path, SPEC)
    with pytest.raises(DataError, match="File name too long"):
        inspect(path)


@pytest.mark.parametrize(
    "error", [PermissionError(errno.EACCES, "Permission denied"), ValueError("odd")], ids=repr
)
def test_a_pattern_that_cannot_be_looked_for_is_told(monkeypatch, error):
    """Whatever keeps us from it."""

    def refuse(*_):
        raise error

    monkeypatch.setattr(Path, "glob", refuse)
    with pytest.raises(DataError, match=r"\*\.csv: cannot be looked for: .*check the pattern"):
        load_trades("*.csv", SPEC)


def test_a_directory_that_cannot_be_read_is_told(monkeypatch, tmp_path):
    """It is no directory without files."""

    def refuse(_):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "iterdir", refuse)
    with pytest.raises(DataError, match="cannot be looked for: Permission denied; check the path"):
        load_trades(tmp_path, SPEC)
