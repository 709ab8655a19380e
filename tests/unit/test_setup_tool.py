"""Which build of the extension a set-up leaves behind."""

from pathlib import Path

import pytest

from support.scripts import script


@pytest.fixture
def builds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Give the profiles that were built, and a function that sets up as `make` does."""
    setup = script("tools/setup.py")
    source = tmp_path / "lib.rs"
    source.write_text("// first\n")
    built: list[str] = []
    monkeypatch.setattr(setup, "ROOT", tmp_path)
    monkeypatch.setattr(setup, "STAMPS", tmp_path / "stamps")
    monkeypatch.setattr(setup, "extension_inputs", lambda: [source])
    monkeypatch.setattr(setup, "extension_is_built", lambda: bool(built))
    monkeypatch.setattr(setup, "build_extension", built.append)
    for name in ("create_venv", "install", "link"):
        monkeypatch.setattr(setup, name, lambda *_: None)
    (tmp_path / "requirements").mkdir()
    for lock in ("dev", "setup"):
        (tmp_path / "requirements" / f"{lock}.txt").touch()
    return built, setup.prepare, source


def test_a_quick_build_is_made_once_and_replaced_where_speed_is_asked_for(builds):
    """`make run` twice builds once; `make dev` then builds for speed, and `make run` leaves that alone."""
    built, prepare, _ = builds

    prepare(dev=False, profile="quick")
    prepare(dev=False, profile="quick")
    assert built == ["quick"]
    prepare(dev=True, profile="release")
    assert built == ["quick", "release"]
    prepare(dev=False, profile="quick")
    prepare(dev=False, profile="release")
    assert built == ["quick", "release"]


def test_changed_sources_are_built_as_they_are_asked_for(builds):
    """What was built for speed from other sources does for nobody."""
    built, prepare, source = builds
    prepare(dev=False, profile="release")

    source.write_text("// second\n")
    prepare(dev=False, profile="quick")

    assert built == ["release", "quick"]
