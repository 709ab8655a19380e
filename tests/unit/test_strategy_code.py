"""What code a strategy is made of: found by reading, in its own folder, and wherever an import stands."""

import importlib
import os
import py_compile
import sys
import zipfile

import pytest

from tradecore.domain.errors import ConfigError
from tradecore.strategy import load_class
from tradecore.strategy.code import StrategyCode, code_of, hold_to


def code(folder, target="main.py:Main"):
    """Return the code of a strategy in a folder."""
    return code_of(target, source="test.toml", base=folder)


@pytest.fixture
def folder(tmp_path):
    """Return a folder with a strategy that imports in every way, and with files that it does not import."""
    (tmp_path / "lib" / "deep").mkdir(parents=True)
    files = {
        "main.py": "import helper\nfrom lib import named\nimport math\n\n\nclass Main:\n    pass\n",
        "helper.py": "def later():\n    import inside\n    __import__('by_name')\n",
        "inside.py": "import importlib\nimportlib.import_module('by_module')\n",
        "by_name.py": "",
        "by_module.py": "import helper\n",
        "lib/__init__.py": "from .deep.lowest import value\n",
        "lib/named.py": "from . import beside\nfrom ..helper import later\n",
        "lib/beside.py": "",
        "lib/deep/__init__.py": "",
        "lib/deep/lowest.py": "from ...inside import nothing\nvalue = 1\n",
        "other.py": "",
        "math.txt": "",
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    return tmp_path


def test_every_file_of_the_folder_that_is_imported_is_part_of_it(folder):
    """Through other files, inside of functions, relative, from packages and by a name that stands there."""
    assert sorted(code(folder).files) == [
        "by_module.py",
        "by_name.py",
        "helper.py",
        "inside.py",
        "lib/__init__.py",
        "lib/beside.py",
        "lib/deep/__init__.py",
        "lib/deep/lowest.py",
        "lib/named.py",
        "main.py",
    ]


@pytest.mark.parametrize("name", ["main.py", "by_module.py", "lib/deep/lowest.py", "lib/__init__.py"])
def test_one_byte_of_any_of_them_is_another_code(folder, name):
    """And the change is named by its file."""
    before = code(folder)
    with (folder / name).open("a") as file:
        file.write(" ")
    after = code(folder)

    assert after.digest != before.digest
    assert after.changes_since(before) == [f"{name} was changed"]


def test_what_is_not_imported_changes_nothing(folder):
    """Another strategy may lie in the same folder."""
    before = code(folder)
    (folder / "other.py").write_text("x = 1")
    assert code(folder) == before
    assert code(folder).changes_since(before) == []


def test_files_that_come_and_go_are_named(folder):
    """A name that is imported may become a file of the folder only now: then it is part of it."""
    before = code(folder)
    (folder / "by_name.py").unlink()
    (folder / "math.py").write_text("")
    assert code(folder).changes_since(before) == ["by_name.py is gone", "math.py is new"]


def test_the_hash_is_of_names_and_contents():
    """Two files whose contents change places are another code."""
    assert StrategyCode({"a": "1", "b": "2"}).digest != StrategyCode({"a": "2", "b": "1"}).digest
    assert StrategyCode({"a": "1", "b": "2"}).digest == StrategyCode({"b": "2", "a": "1"}).digest


def test_of_a_module_of_a_package_its_own_folder_counts():
    """By the package's name too; what it imports of others does not."""
    files = code_of("tradecore_api.live_demo.show:LiveDemo", source="test.toml").files
    assert {"show.py", "__init__.py", "pair.py", "child.py", "settings.py"} <= files.keys()
    assert all("/" not in name for name in files)
    demo = code_of("tradecore_api.demo_strategies:Quoter", source="test.toml").files
    assert "demo_strategies.py" in demo


@pytest.mark.parametrize("target", ["none.py:Main", "no_module:Main", "sys:Main", "no.package:Main"])
def test_code_that_is_not_there_is_an_error_of_its_key(folder, target):
    """It cannot be armed."""
    with pytest.raises(ConfigError, match=r"strategy.class.*has no file whose code"):
        code(folder, target)


def test_a_name_that_is_a_path_leads_nowhere(folder, tmp_path_factory):
    """No import finds it, and nothing outside of the folder is looked at."""
    outside = tmp_path_factory.mktemp("outside") / "secret.py"
    outside.write_text("x = 1")
    lines = [
        f"importlib.import_module({str(name)!r})" for name in (outside.with_suffix(""), "../outside/x", "")
    ]
    (folder / "inside.py").write_text("\n".join(["import importlib", *lines]))
    assert "secret.py" not in "".join(code(folder).files)


@pytest.mark.parametrize("text", ["def (:", "x = \0", "x = " + "(" * 5_000])
def test_code_that_is_no_python_is_an_error_of_its_key(folder, text):
    """Nobody knows what it imports."""
    (folder / "helper.py").write_text(text)
    with pytest.raises(ConfigError, match="its code cannot be read"):
        code(folder)


def test_a_cache_of_another_source_is_not_run(tmp_path, monkeypatch):
    """Of one size and one second, which is all that Python looks at: what is hashed is what runs."""
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    file = tmp_path / "main.py"
    file.write_text("class Main:\n    step = 1\n")
    times = (file.stat().st_atime, 1_700_000_000)

    os.utime(file, times)
    first = load_class("main.py:Main", source="test.toml", base=tmp_path)
    assert first.step == 1
    file.write_text("class Main:\n    step = 2\n")
    os.utime(file, times)
    del sys.modules[first.__module__]

    assert load_class("main.py:Main", source="test.toml", base=tmp_path).step == 2


@pytest.mark.parametrize(
    ("line", "file"),
    [
        ("import importlib; importlib.import_module(name='hidden')", "hidden.py"),
        ("from importlib import import_module as get; get('hidden')", "hidden.py"),
        ("import importlib; importlib.import_module('with-a-dash')", "with-a-dash.py"),
        ("from pack import *", "pack/hidden.py"),
        ("import pack.lazy", "pack/deep.py"),
        ("import runpy; runpy.run_path('hidden.py')", "hidden.py"),
        ("exec(open('pack/hidden.py').read())", "pack/hidden.py"),
        ("import sys; sys.path.insert(0, 'vendor'); import from_vendor", "vendor/from_vendor.py"),
        ("import from_vendor, sys; FOLDER = 'vendor'", "vendor/from_vendor.py"),
        ("import sys; sys.path.insert(0, 'packed.zip'); import from_zip", "packed.zip"),
        ("import binary", "binary.abi3.so"),
        ("import cached", "cached.pyc"),
    ],
)
def test_what_is_imported_by_a_name_in_the_source_is_part_of_it(tmp_path, line, file):
    """By whatever function, as text, from a package's own list, from a folder or an archive beside it."""
    (tmp_path / "pack").mkdir()
    (tmp_path / "vendor").mkdir()
    (tmp_path / "pack" / "__init__.py").write_text("__all__ = ['hidden']\n")
    lazy = "from importlib import import_module\nimport_module('.deep', __package__)\n"
    (tmp_path / "pack" / "lazy.py").write_text(lazy)
    for name in ("hidden", "with-a-dash", "pack/hidden", "pack/deep", "vendor/from_vendor"):
        (tmp_path / f"{name}.py").write_text("value = 1\n")
    for name in ("binary.abi3.so", "cached.pyc"):
        (tmp_path / name).write_bytes(b"no source")
    with zipfile.ZipFile(tmp_path / "packed.zip", "w") as packed:
        packed.writestr("from_zip.py", "value = 1\n")
    (tmp_path / "main.py").write_text(f"{line}\n\n\nclass Main:\n    pass\n")

    assert file in code(tmp_path).files


def test_text_that_names_what_is_elsewhere_is_no_code(tmp_path):
    """Nothing outside of the folder is looked at, and no name is too long for the disk."""
    (tmp_path / "secret.py").write_text("x = 1\n")
    (tmp_path / "own").mkdir()
    texts = ["../secret.py", str(tmp_path / "secret.py"), "..", "/", ".", "x" * 5_000, "a\0b", "main.py"]
    (tmp_path / "own" / "main.py").write_text(f"NAMES = {texts!r}\n\n\nclass Main:\n    pass\n")
    assert list(code(tmp_path / "own").files) == ["main.py"]


@pytest.fixture
def importable(tmp_path, monkeypatch):
    """Return a folder that Python imports from; what was imported is forgotten afterwards."""
    monkeypatch.syspath_prepend(tmp_path)
    known = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - known:
        del sys.modules[name]


def test_a_class_of_a_package_itself_has_the_modules_of_the_package(importable):
    """Whether it imports them by their whole names or from the dot."""
    package = importable / "whole_package"
    package.mkdir()
    (package / "__init__.py").write_text("from whole_package.by_name import Main\nfrom . import dotted\n")
    (package / "by_name.py").write_text("class Main:\n    pass\n")
    (package / "dotted.py").write_text("")
    files = code(importable, "whole_package:Main").files
    assert sorted(files) == ["__init__.py", "by_name.py", "dotted.py"]


def test_nothing_is_run_to_look_at_code(importable):
    """Not the packages either that a module is in: they may be what was changed."""
    inner = importable / "outer_package" / "inner"
    inner.mkdir(parents=True)
    (inner.parent / "__init__.py").write_text("raise SystemExit('was run')\n")
    (inner / "main.py").write_text("class Main:\n    pass\n")
    assert sorted(code(importable, "outer_package.inner.main:Main").files) == ["main.py"]
    assert "outer_package" not in sys.modules


def unchecked_cache(file, text):
    """Lay a cache of another source beside a file, which says that nobody is to compare them."""
    other = file.with_name("other_source.txt")
    other.write_text(text)
    cache = importlib.util.cache_from_source(file)
    py_compile.compile(str(other), cache, invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)


@pytest.mark.parametrize("target", ["cached_main:Main", "cached_main.py:Main"])
def test_no_cache_is_run_by_whichever_name_a_file_is_imported(importable, target):
    """As a module of its own name, and as a file beside it that Python's own path finds."""
    text = "from cached_step import STEP\n\n\nclass Main:\n    step = STEP\n"
    (importable / "cached_main.py").write_text(text)
    (importable / "cached_step.py").write_text("STEP = 'source'\n")
    unchecked_cache(importable / "cached_main.py", "class Main:\n    step = 'cache of the module'\n")
    unchecked_cache(importable / "cached_step.py", "STEP = 'cache of what it imports'\n")
    assert load_class(target, source="test.toml", base=importable).step == "source"


def test_what_is_imported_later_is_held_to_what_was_hashed(tmp_path):
    """A file that is changed while an engine runs is not run by an import in a callback."""
    (tmp_path / "main.py").write_text(
        "class Main:\n    def late(self):\n        import late_step\n        return late_step.STEP\n"
    )
    (tmp_path / "late_step.py").write_text("STEP = 1\n")
    hashed = code(tmp_path)
    made = load_class("main.py:Main", source="test.toml", base=tmp_path)()
    assert hold_to("main.py:Main", hashed, tmp_path) == []

    (tmp_path / "late_step.py").write_text("STEP = 2\n")
    with pytest.raises(ImportError, match=r"late_step\.py is not as it was armed"):
        made.late()
    (tmp_path / "late_step.py").write_text("STEP = 1\n")
    assert made.late() == 1


def test_what_ran_otherwise_is_told(tmp_path):
    """A file that was other when it was loaded, whatever it is now."""
    (tmp_path / "main.py").write_text("class Main:\n    step = 1\n")
    before = code(tmp_path)
    (tmp_path / "main.py").write_text("class Main:\n    step = 2\n")
    assert load_class("main.py:Main", source="test.toml", base=tmp_path).step == 2
    (tmp_path / "main.py").write_text("class Main:\n    step = 1\n")
    assert code(tmp_path) == before
    assert hold_to("main.py:Main", before, tmp_path) == ["main.py"]
