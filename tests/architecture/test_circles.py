"""No two files use each other in a circle: what a reader has to know first is always in another file."""

from pathlib import Path

import pytest

from support.circles import circles, of_crate, of_package
from support.shared import ROOT
from support.tree import files

# What is left. `impl Kernel` and `impl BarMatcher` lie in many files, each with one concern of one value;
# a pyclass and what shows it name each other. A circle may leave this list, and none may join it.
KNOWN = {
    "journal": [{"error", "frames"}],
    "kernel": [
        {"books", "books/account", "books/equity", "books/heard", "config", "gates", "groups", "groups/child"}
        | {
            "groups/close_out",
            "groups/told",
            "kernel",
            "margin",
            "margin/watch",
            "markets/build",
            "outgoing/orders",
        }
    ],
    "matching": [
        {"bars/filling", "bars/lifetime", "bars/matcher", "bars/path", "bars/rules", "bars/slippage"},
        {"exchange_matcher", "exchange_matcher/trading"},
    ],
    "pyext": [
        {
            "access",
            "account",
            "arguments",
            "bars",
            "batch",
            "calls",
            "gates",
            "journal/record_fields",
            "kernel",
        }
        | {"latency", "positions", "results", "runs", "views"},
        {"book", "book_side", "top_view"},
    ],
    "types": [{"bracket", "order"}],
}
CRATES = sorted({path.relative_to(ROOT).parts[1] for path in files(".rs", below="rust")})
PACKAGES = sorted(
    path.parent
    for path in [*files(".py", below="python"), *files(".py", below="adapters"), *files(".py", below="api")]
    if path.name == "__init__.py" and not (path.parent.parent / "__init__.py").exists()
)


@pytest.mark.parametrize("crate", CRATES)
def test_no_circle_of_files_is_new_in_a_crate(crate):
    """A type that two files need of each other has a file of its own."""
    source = ROOT / "rust" / crate / "src"

    found = circles(of_crate(source, files(".rs", below=f"rust/{crate}/src")))

    known = KNOWN.get(crate, [])
    assert [circle for circle in found if not any(set(circle) <= old for old in known)] == []
    assert [old for old in known if not any(set(circle) <= old for circle in found)] == [], "gone: strike it"


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package.name)
def test_no_python_files_import_each_other_in_a_circle(package):
    """There is none, and none may come."""
    assert circles(of_package(package.parent, files(".py", below=str(package.relative_to(ROOT))))) == []


def test_a_circle_is_found_through_names_that_are_handed_on(tmp_path: Path):
    """Rust: by `use`, by a path in the code, and by a name that the library hands on."""
    texts = {
        "lib.rs": "mod a;\nmod b;\nmod c;\npub use b::{Other, Second as Two};\n",
        "a.rs": "use crate::{Other, c::Third};\npub struct First;\n",
        "b.rs": "pub struct Other;\nfn f() { let _ = super::a::First; } // super::c::Third\n",
        "c.rs": "pub struct Third;\n#[cfg(test)]\nmod tests { use crate::a::First; }\n",
    }
    for name, text in texts.items():
        (tmp_path / name).write_text(text, encoding="utf-8")

    assert circles(of_crate(tmp_path, [tmp_path / name for name in texts])) == [["a", "b"]]


def test_a_circle_of_python_files_is_found(tmp_path: Path):
    """By either form of import."""
    package = tmp_path / "house"
    package.mkdir()
    for name, text in {
        "__init__": "",
        "a": "from house.b import x",
        "b": "import house.a",
        "c": "import house.a",
    }.items():
        (package / f"{name}.py").write_text(text, encoding="utf-8")

    assert circles(of_package(tmp_path, sorted(package.glob("*.py")))) == [["house/a", "house/b"]]
