"""What code a strategy is made of: found by reading, in its own folder, and wherever an import stands."""

import os
import sys

import pytest

from tradecore.domain.errors import ConfigError
from tradecore.strategy import load_class
from tradecore.strategy.code import StrategyCode, code_of


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
