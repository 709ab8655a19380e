"""House rules that no linter knows. Each failure names the file, the line and what to do instead."""

import ast
import json
import re
import subprocess
import sys
import tomllib
from importlib import metadata

import pytest

import tradecore._core as native
from support.shared import ROOT
from support.tree import files, name_of, names_used, own_files, tree_of

CORE = "python/tradecore"
# The one place of the core that reads a clock: the port's implementation.
CLOCK = f"{CORE}/runtime/system_clock.py"
# The one place that needs unsafe Rust: numpy looks at columns of the engine without a copy.
UNSAFE = "rust/pyext/src/lent.rs"
LINES_MAX = 600
ARCHITECTURE_LINES_MAX = 250
IMPORT_SECONDS_MAX = 0.15

BANNED_IN_CORE = {
    "time.time": "the Clock port",
    "time.time_ns": "the Clock port",
    "time.monotonic": "the Clock port",
    "time.monotonic_ns": "the Clock port",
    "time.perf_counter": "the Clock port",
    "time.perf_counter_ns": "the Clock port",
    "datetime.datetime.now": "the Clock port",
    "datetime.datetime.utcnow": "the Clock port",
    "datetime.datetime.today": "the Clock port",
    "datetime.date.today": "the Clock port",
    "random": "a generator seeded by the caller",
    "secrets": "the IdSource port",
    "uuid": "the IdSource port",
    "os.urandom": "the IdSource port",
    "numpy.random.rand": "a generator seeded by the caller",
    "numpy.random.seed": "a generator seeded by the caller",
}
# A generator that its caller seeds is no chance: the agents of the simulated exchange use one.
SEEDED = {"random.Random"}
BANNED_EVERYWHERE = {
    "pickle": "msgspec: unpickling runs code",
    "marshal": "msgspec",
    "shelve": "a journal or SQLite",
    "eval": "a table of what is allowed",
    "exec": "a table of what is allowed",
    "typing.TYPE_CHECKING": "an ordinary import; move the type if that makes a cycle",
}


def forbidden(banned: dict[str, str], paths) -> list[str]:
    """List every use of a banned name with its replacement."""
    found = {
        f"{name_of(path)}:{line}: {name} -> {instead}"
        for path in paths
        for line, name in names_used(path)
        for rule, instead in banned.items()
        if name not in SEEDED and (name == rule or name.startswith(f"{rule}."))
    }
    return sorted(found)


def matches(pattern: str, paths, *, characters_max: int = 100) -> list[str]:
    """List every line that a pattern is found in."""
    expression = re.compile(pattern)
    return [
        f"{name_of(path)}:{number}: {line.strip()[:characters_max]}"
        for path in paths
        for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1)
        if expression.search(line)
    ]


def test_whoever_decodes_json_expects_bytes_that_are_no_text_or_too_deep():
    """Msgspec raises `UnicodeDecodeError` and `RecursionError` for them, which are none of its own errors."""
    found = matches(
        r"(except|suppress\().*msgspec\.(MsgspecError|DecodeError)", own_files(), characters_max=200
    )
    for expected in (r"UnicodeDecodeError|ValueError", r"RecursionError"):
        assert [line for line in found if not re.search(expected, line)] == []


def test_the_core_reads_no_clock_and_draws_no_random_number():
    """What the engine does depends on its events alone; the world comes in through ports."""
    core = [path for path in files(".py", below=CORE) if name_of(path) != CLOCK]

    assert forbidden(BANNED_IN_CORE, core) == []


def test_nothing_runs_code_out_of_data():
    """No pickle, no eval, no exec, and no import that only type checkers see - in tests and tools either."""
    assert forbidden(BANNED_EVERYWHERE, files(".py")) == []


def test_the_search_for_banned_names_finds_them(tmp_path):
    """The two tests above can fail: aliases and from-imports are seen through."""
    sample = tmp_path / "sample.py"
    sample.write_text("import time as t\nfrom os import urandom\nimport random\nt.time_ns()\nurandom(8)\n")

    assert {name for _, name in names_used(sample)} >= {"time.time_ns", "os.urandom", "random"}


def test_no_file_names_a_package_registry_or_a_path_of_a_machine():
    """A clone works behind any mirror and in any folder. Cargo.lock has to name its index."""
    texts = [path for path in own_files() if path.name != "Cargo.lock" and path.suffix not in {".gz", ".png"}]
    registry = (
        r"p[y]pi\.org|p[y]thonhosted\.org|(static|index)\.crates\.i[o]|https?://[^ \"]*/(simple|packages)/"
    )
    machine = r"(^|[\s\"'=(])/(r[o]ot|w[o]rk|f[a]rm|h[o]me/\w+|U[s]ers/\w+)/"

    assert matches(registry, texts) == []
    assert matches(machine, texts) == []


def test_nobody_inside_imports_the_facade():
    """Modules import each other where things are defined, so the import graph says what is true."""
    rooms = {path.name for path in (ROOT / CORE).iterdir()} | {"_core"}
    found = [
        f"{name_of(path)}:{node.lineno}"
        for path in files(".py", below=CORE)
        for node in ast.walk(tree_of(path))
        if (isinstance(node, ast.Import) and any(alias.name == "tradecore" for alias in node.names))
        or (
            isinstance(node, ast.ImportFrom)
            and node.module == "tradecore"
            and any(alias.name not in rooms for alias in node.names)
        )
    ]
    assert found == []


def test_no_source_file_is_longer_than_six_hundred_lines():
    """One noun a file; what grows beyond this holds two."""
    long = {
        name_of(path): count
        for path in files(".py", ".pyi", ".rs")
        if (count := len(path.read_text(encoding="utf-8").splitlines())) > LINES_MAX
    }
    assert long == {}


def test_the_architecture_page_can_be_read_in_one_sitting():
    """ARCHITECTURE.md has at most 250 lines."""
    assert len((ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8").splitlines()) <= ARCHITECTURE_LINES_MAX


def test_every_relative_link_of_the_documents_leads_somewhere():
    """Documents move with what they point to."""
    broken = [
        f"{name_of(path)}: {target}"
        for path in files(".md")
        for target in re.findall(r"\]\(([^)#\s]+)", path.read_text(encoding="utf-8"))
        if "://" not in target and not target.startswith("mailto:") and not (path.parent / target).exists()
    ]
    assert broken == []


def test_unsafe_stands_once_where_numpy_is_shown_memory_of_the_engine():
    """Every crate that decides anything is safe Rust, by lint and by this search; the binding has one."""
    lints = tomllib.loads((ROOT / "Cargo.toml").read_text())["workspace"]["lints"]["rust"]
    found = matches(r"^\s*(?!//).*\bunsafe\b\s*(\{|fn|impl|trait|extern)", files(".rs", below="rust"))

    assert [line.split(":")[0] for line in found] == [UNSAFE]
    assert "// SAFETY:" in (ROOT / UNSAFE).read_text()
    assert lints["unsafe_code"] in {"forbid", "deny"}
    for manifest in (ROOT / "rust").glob("*/Cargo.toml"):
        content = tomllib.loads(manifest.read_text())
        assert content.get("lints") == {"workspace": True} or manifest.parent.name == "pyext", manifest


def test_the_binding_crate_keeps_the_lints_of_the_workspace():
    """Cargo lets no crate change one inherited lint, so the binding crate repeats them, three apart."""
    ours = tomllib.loads((ROOT / "rust/pyext/Cargo.toml").read_text())["lints"]
    lints = tomllib.loads((ROOT / "Cargo.toml").read_text())["workspace"]["lints"]
    changed = {"doc_markdown": "allow", "needless_pass_by_value": "allow"}

    assert ours["rust"] == lints["rust"] | {"unsafe_code": "deny"}
    assert ours["clippy"] == lints["clippy"] | changed


def test_no_float_comes_near_orders_books_and_money():
    """What counts lots and money knows no float, and the shared values take none: they only show one.

    The analytics of a book are questions about it; their answers are ratios and prices between ticks.
    """
    rooms = ("book", "ledger", "matching", "risk")
    answers = ROOT / "rust/book/src/analytics.rs"
    sources = [path for room in rooms for path in files(".rs", below=f"rust/{room}/src")]
    counting = [path for path in sources if "tests" not in path.parts and path != answers]

    assert counting
    assert matches(r"\bf(32|64)\b", counting) == []
    assert matches(r":\s*&?f(32|64)\b", files(".rs", below="rust/types/src")) == []


def test_only_risk_can_build_an_approved_order():
    """The value that venues accept has no public field and is built nowhere else."""
    sources = files(".rs", below="rust")
    defined = matches(r"\bstruct ApprovedOrder\b", sources)
    built = matches(r"(?<!->) (?<!struct )(?<!impl )(?<!for )ApprovedOrder\s*(\{|::new\()", sources)
    (home,) = defined
    body = (ROOT / home.split(":")[0]).read_text().split("struct ApprovedOrder", 1)[1].split("}", 1)[0]

    assert home.startswith("rust/risk/src/")
    assert not re.search(r"^\s*pub ", body, re.MULTILINE), body
    assert [line for line in built if not line.startswith("rust/risk/src/")] == []


def test_one_place_asks_the_decision_gates_and_one_function_says_what_closing_means():
    """A policy that is asked at one entrance only is a hole: gates are asked where every request passes.

    Risk is asked there alone as well, so nothing that may add risk reaches it without passing the gates.
    """
    sources = [
        path
        for path in files(".rs", below="rust")
        if "tests" not in path.parts and not path.stem.endswith("tests")
    ]

    def places(pattern: str) -> list[str]:
        return [line.split(":")[0] for line in matches(pattern, sources)]

    assert places(r"\bgate\.check\(view\)") == ["rust/kernel/src/gates.rs"]
    assert places(r"\bgates\.ask\(") == ["rust/kernel/src/gates.rs"]
    assert places(r"\.pass_gates\(") == ["rust/kernel/src/gates.rs"]
    assert places(r"\.judge_gated\(") == ["rust/kernel/src/gates/judging.rs"]
    assert sorted(places(r"\.judge_risk\(")) == [
        "rust/kernel/src/gates.rs",
        "rust/kernel/src/gates/judging.rs",
    ]
    assert places(r"\bchecks\.check\(&proposal") == ["rust/kernel/src/gates/judging.rs"]
    assert places(r"\bfn is_closing\(self") == ["rust/risk/src/stake.rs"]
    assert places(r"\bfn closable_lots\(self, position") == ["rust/types/src/order.rs"]


def test_the_shortcut_around_risk_is_for_tests_of_venues_alone():
    """`approve_unseen` exists behind a feature that no dependency of the extension switches on."""
    used = matches(r"\bapprove_unseen\b", files(".rs", below="rust"))
    outside = [line for line in used if not re.match(r"rust/(risk|matching|venue)/", line)]
    enabled = [
        name_of(manifest)
        for manifest in (ROOT / "rust").glob("*/Cargo.toml")
        for name, facts in tomllib.loads(manifest.read_text()).get("dependencies", {}).items()
        if name == "tradecore-risk" and isinstance(facts, dict) and facts.get("features")
    ]
    assert outside == []
    assert enabled == []


def documented(owner: object, prefix: str = "") -> list[str]:
    """List the public names below a module or class that have no docstring."""
    missing = []
    for name in sorted(vars(owner)):
        member = getattr(owner, name)
        if name.startswith("_") or not (
            isinstance(member, type) or callable(member) or hasattr(member, "__doc__")
        ):
            continue
        if not (member.__doc__ or "").strip():
            missing.append(prefix + name)
        if isinstance(member, type):
            missing += documented(member, f"{prefix}{name}.")
    return missing


def test_every_public_native_name_is_documented():
    """Documentation is written in Rust and reaches `help()`: functions, classes, methods and properties."""
    assert [name for name in vars(native) if not name.startswith("_")]
    assert documented(native) == []


def test_the_core_wheel_depends_on_numpy_and_msgspec_alone():
    """An embedder gets two dependencies, not a stack."""
    stated = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    # What an extra asks for comes only to who names the extra.
    installed = [entry for entry in metadata.requires("tradecore") or [] if "extra ==" not in entry]

    for requirements in (stated, installed):
        assert {re.match(r"[\w.-]+", entry)[0] for entry in requirements} == {"numpy", "msgspec"}


@pytest.mark.timeout(120)
def test_import_is_quick_and_brings_no_framework():
    """`import tradecore` takes at most 0.15 s (best of five) and loads neither ccxt, litestar nor aiohttp."""
    code = (
        "import sys, time; start = time.perf_counter(); import tradecore; took = time.perf_counter() - start;"
        "modules = sorted(sys.modules); import json; print(json.dumps([took, modules]))"
    )
    runs = [json.loads(subprocess.check_output([sys.executable, "-c", code])) for _ in range(5)]
    modules = set(runs[0][1])

    assert min(seconds for seconds, _ in runs) <= IMPORT_SECONDS_MAX
    assert not modules & {"ccxt", "litestar", "aiohttp", "aiosqlite", "pyarrow", "pandas", "rich", "uvloop"}
    assert not {name for name in modules if name.startswith("tradecore_")}
