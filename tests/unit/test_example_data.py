"""The data in `examples/data` may be there, are what their NOTICE says, and can be made again."""

import gzip
import hashlib
import re

import pytest

from support.scripts import script
from support.shared import EXAMPLE_DATA, ROOT, shared_data

BYTES_MAX = 1_000_000
# Made up for an example; they come from nobody.
OWN = {"perpetual-1h.csv", "perpetual-funding.csv", "perpetual-spot-1h.csv"}


@pytest.fixture(scope="module")
def slicer():
    """Give the tool as a module."""
    return script("tools/slice_data.py")


def entries():
    """Read the NOTICE: source, licence and hash of each file, by its name."""
    text = (EXAMPLE_DATA / "NOTICE").read_text(encoding="utf-8")
    entry = re.compile(
        r"^(?P<name>\S+)\n-+\n\n.+?\n\n(?P<sources>(?:source [^\n]+\n)+)licence +(?P<licence>[^\n]+)\n"
        r"sha256 +(?P<digest>[0-9a-f]{64})\n",
        re.MULTILINE | re.DOTALL,
    )
    return {match["name"]: match for match in entry.finditer(text)}


def test_every_file_is_in_the_notice_with_its_source_licence_and_hash():
    """Nothing of others lies here unnamed, and nothing was changed since it was cut."""
    files = {path.name for path in EXAMPLE_DATA.iterdir()} - OWN - {"NOTICE"}

    assert entries().keys() == files
    for name, entry in entries().items():
        assert re.search(r"https://github\.com/[\w.-]+/[\w.-]+/blob/[0-9a-f]{40}/", entry["sources"]), name
        assert re.match(r"(MIT|Apache-2\.0), Copyright ", entry["licence"]), name
        assert hashlib.sha256((EXAMPLE_DATA / name).read_bytes()).hexdigest() == entry["digest"], name


def test_the_texts_of_both_licences_are_there():
    """Each of them asks for that."""
    assert "Permission is hereby granted, free of charge" in (EXAMPLE_DATA / "NOTICE").read_text()
    assert "Apache License" in (ROOT / "LICENSE").read_text()
    assert "Version 2.0, January 2004" in (ROOT / "LICENSE").read_text()


def test_the_data_are_small():
    """A clone is not slow because of them."""
    assert sum(path.stat().st_size for path in EXAMPLE_DATA.iterdir()) <= BYTES_MAX


def test_the_files_are_those_that_the_tool_cuts(slicer):
    """Cut anew from the originals, each holds the same; packed bytes may differ with the library."""
    shared = shared_data("MANIFEST.csv").parents[1]

    assert {part.name for part in slicer.SLICES} == entries().keys()
    for part in slicer.SLICES:
        raw = (EXAMPLE_DATA / part.name).read_bytes()
        held = gzip.decompress(raw) if part.name.endswith(".gz") else raw
        assert held == slicer.content_of(part, shared), part.name
    notice = (EXAMPLE_DATA / "NOTICE").read_text(encoding="utf-8")
    assert notice == slicer.notice(slicer.manifest(shared), EXAMPLE_DATA), "run tools/slice_data.py"


@pytest.mark.parametrize(
    "licence", ["GPL-3.0", "LGPL-3.0", "Apache-2.0 (repo); bundled vendor data", "X11/MIT-style", ""]
)
def test_a_source_under_another_licence_is_refused(slicer, tmp_path, licence):
    """What the row says counts to the letter."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "MANIFEST.csv").write_text(f"file,licence\na.csv,{licence}\n")
    (tmp_path / "data" / "a.csv").write_text("1\n")
    part = slicer.Slice(name="a.csv", sources=("a.csv",), about="", cut=slicer.whole)

    with pytest.raises(slicer.LicenceError, match=r"a\.csv"):
        slicer.content_of(part, tmp_path)
    (tmp_path / "data" / "MANIFEST.csv").write_text("file,licence\na.csv,MIT\n")
    assert slicer.content_of(part, tmp_path) == b"1\n"
