"""Write the generated parts of the documents anew, or say with `--check` which of them are out of date.

A generated part stands between `<!-- begin generated: NAME -->` and `<!-- end generated: NAME -->`.
"""

import argparse
import ast
import enum
import importlib
import inspect
import shutil
import subprocess
import sys
import tomllib
import types as types_of_python
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
from msgspec import inspect as types
from named_tables import audit_rules, exit_codes, planted_bugs
from promise_table import promise_run, promise_table
from stop_table import stops

import tradecore
import tradecore_files
from tradecore import frames
from tradecore.domain.journal import record_kinds
from tradecore.domain.venue_errors import Proof
from tradecore.strategy import indicators
from tradecore_api.cli import build_parser
from tradecore_api.config.tables import ConfigTables
from tradecore_api.wiring import venue_table
from tradecore_local.answers import ERRORS
from tradecore_sqlite.projection import LEFT_OUT, PROJECTED

ROOT = Path(__file__).resolve().parents[1]
CONTROLS = ROOT / "tools" / "controls.toml"
BASELINE = ROOT / "benches" / "baseline.json"
REASONS = ROOT / "benches" / "peers" / "bounds.toml"
NAMES = {types.StrType: "text", types.IntType: "integer", types.FloatType: "number", types.BoolType: "bool"}
BOUNDS = {"ge": "at least", "gt": "above", "le": "at most", "lt": "below"}


def life_cycle() -> str:
    """Draw the life of an order from the table the ledger works with."""
    cargo = shutil.which("cargo") or "cargo"
    command = [cargo, "run", "--quiet", "--locked", "-p", "tradecore-ledger", "--example", "life_cycle"]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    return f"```mermaid\n{done.stdout.rstrip()}\n```"


def venue_errors() -> str:
    """List the error codes of the local venue, and what each proves."""
    said = {
        Proof.DECLINED: "nothing happened, and will not",
        Proof.NOT_DONE: "nothing happened yet",
        Proof.LOST: "nothing",
    }
    rows = [
        f"| `{each.code}` | {each.about} | {said[each.proves]} | {each.reason and f'`{each.reason}`'} |"
        for each in ERRORS.classes
    ]
    head = ["| code | when | what it proves | reason told |", "|---|---|---|---|"]
    return "\n".join([*head, *rows, "| any other | | nothing | |"])


def kinds() -> str:
    """List every kind of journal record: from the journal's own table, and where the read model has it."""
    lines = [
        "| no. | record | way | what it says | values | in the read model |",
        "|---|---|---|---|---|---|",
    ]
    for kind in record_kinds():
        values = ", ".join(f"`{name}`" for name in kind.fields) or "-"
        tables = PROJECTED.get(kind.name)
        where = ", ".join(f"`{name}`" for name in tables) if tables else f"no: {LEFT_OUT[kind.name]}"
        lines.append(
            f"| {kind.code} | `{kind.name}` | {kind.direction} | {kind.about} | {values} | {where} |"
        )
    return "\n".join(lines)


def settings() -> str:
    """List every key of a configuration file with its kind and default."""
    shown: dict[type, str] = {}
    whole = types.type_info(ConfigTables)
    fields = whole.fields if isinstance(whole, types.StructType) else ()
    return "\n\n".join(part for field in fields for part in _setting(field, "", shown))


def _setting(field: types.Field, above: str, shown: dict[type, str]) -> Iterator[str]:
    """Describe a key, its tables and the tables in them; a table is described where it is first met."""
    tables = list(_structs(field.type))
    if not tables and not above:
        yield f"`{field.encode_name}`: {_kind(field.type)}; default `{_plain(field.default)}`"
    is_list = isinstance(field.type, types.VarTupleType)
    name = f"{above}{field.encode_name}" + (".NAME" if isinstance(field.type, types.DictType) else "")
    title = f"[[{name}]]" if is_list else f"[{name}]"
    for table in tables:
        yield f"## `{title}`" + (f' `kind = "{table.tag}"`' if table.tag else "")
        yield f"As `{shown[table.cls]}`." if table.cls in shown else _table(table)
        if table.cls not in shown:
            shown[table.cls] = title
            for inner in table.fields:
                yield from _setting(inner, f"{name}.", shown)


class Control(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A pre-trade control: what holds it, and the tests that show it."""

    number: str
    name: str
    source: str
    does: str
    rules: tuple[str, ...]
    settings: tuple[str, ...]
    tests: tuple[str, ...]


class FixedSetting(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A setting of a control that stays as it is while an engine runs."""

    setting: str
    why: str


class Controls(msgspec.Struct, frozen=True):
    """The list of controls, and what about them cannot be changed while an engine runs."""

    controls: tuple[Control, ...]
    fixed: tuple[FixedSetting, ...]


def _all_of_controls() -> Controls:
    return msgspec.toml.decode(CONTROLS.read_bytes(), type=Controls)


def listed_controls() -> tuple[Control, ...]:
    """Read the list of controls."""
    return _all_of_controls().controls


def fixed_settings() -> tuple[FixedSetting, ...]:
    """Read which settings of controls no command changes."""
    return _all_of_controls().fixed


def fixed() -> str:
    """Say which settings of controls no command changes, and why."""
    return "\n".join(f"- `{known.setting}`: {known.why}" for known in fixed_settings())


def controls() -> str:
    """Show each control with its rules, settings and tests."""
    lines = ["| control | what tradecore does | rules | settings | tests |", "|---|---|---|---|---|"]
    for control in listed_controls():
        rules, settings = (
            "<br>".join(f"`{name}`" for name in names) for names in (control.rules, control.settings)
        )
        tests = "<br>".join(
            f"[{name}](../{file})" for file, _, name in (test.partition("::") for test in control.tests)
        )
        lines.append(
            f"| **{control.number}** {control.name} ({control.source}) | {control.does} "
            f"| {rules} | {settings} | {tests} |"
        )
    return "\n".join(lines)


def resources() -> str:
    """Say what still works when a resource is gone, as the marks of the tests that show it do."""
    rows: dict[str, list[str]] = {}
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        file = path.relative_to(ROOT)
        for test, resource, works in _marks_of(path):
            rows.setdefault(resource, []).append(f'{works} ([test](../{file} "{test}"))')
    lines = ["| gone, full or hanging | what still works |", "|---|---|"]
    return "\n".join([*lines, *(f"| {name} | {'<br>'.join(rows[name])} |" for name in sorted(rows))])


def _marks_of(path: Path) -> Iterator[tuple[str, str, str]]:
    """Yield test, resource and text of every mark `without` in a file of tests."""
    nodes = ast.parse(path.read_text(encoding="utf-8")).body
    for node in (each for each in nodes if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)):
        for mark in node.decorator_list:
            if isinstance(mark, ast.Call) and ast.unparse(mark.func) == "pytest.mark.without":
                resource, works = (ast.literal_eval(each) for each in (mark.args[0], mark.keywords[0].value))
                yield node.name, resource, works


class PeerRow(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the peer bench: a workload on a peer and on tradecore, or why it did not run."""

    name: str
    workload: str
    peer: str
    unit: str
    goal: float
    peer_version: str = ""
    peer_python: str = ""
    version: str = ""
    python: str = ""
    peer_per_second: float = 0.0
    per_second: float = 0.0
    ratio: float = 0.0
    peer_delay_us: dict[str, float] | None = None
    delay_us: dict[str, float] | None = None
    peer_peak_mb: float = 0.0
    peak_mb: float = 0.0
    agree: bool = False
    why: str = ""
    note: str = ""
    not_run: str = ""
    busy: bool = False


class Machine(msgspec.Struct, frozen=True):
    """What the peer bench ran on."""

    processor: str
    model: str
    cores: int
    memory_gb: int
    system: str


class FootprintRow(msgspec.Struct, frozen=True):
    """What one installation weighs, or why it was not weighed."""

    name: str
    installed_mb: float = 0.0
    import_s: float = 0.0
    memory_mb: float = 0.0
    command_s: float | None = None
    not_run: str = ""


class Footprint(msgspec.Struct, frozen=True):
    """B9: installation, import and memory, ours first."""

    goals: dict[str, float]
    rows: tuple[FootprintRow, ...]


class PeerBench(msgspec.Struct, frozen=True):
    """The kept result of the peer bench."""

    machine: Machine
    rows: tuple[PeerRow, ...]
    footprint: Footprint

    @property
    def measured(self) -> list[PeerRow]:
        """List the rows that ran."""
        return [row for row in self.rows if not row.not_run]


def _peer_bench() -> PeerBench:
    return msgspec.json.decode(BASELINE.read_bytes(), type=PeerBench)


def peers() -> str:
    """Show the peer bench as one table."""
    lines = [
        "| workload | peer | peer does | tradecore does | ratio | peak MB: peer / ours | answers agree |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in _peer_bench().rows:
        if row.not_run:
            lines.append(f"| {row.workload} | {row.peer} | not run: {row.not_run} | | | | |")
            continue
        agree = ("yes" if row.agree else "**no**") + (f", {row.why}" if row.why else "")
        agree += f" ({row.note})" if row.note else ""
        lines.append(
            f"| {row.workload} | {row.peer} {row.peer_version} | {_short(row.peer_per_second)} {row.unit} "
            f"| {_short(row.per_second)} | **{row.ratio:.2f}x** "
            f"| {row.peer_peak_mb:.0f} / {row.peak_mb:.0f} | {agree} |"
        )
    return "\n".join(lines)


def peer_delays() -> str:
    """Show the percentiles of the workloads that have them."""
    lines = ["| workload | who | p50 us | p99 us | p99.9 us |", "|---|---|---|---|---|"]
    for row in _peer_bench().measured:
        for who, delays in ((row.peer, row.peer_delay_us), ("tradecore", row.delay_us)):
            if delays:
                lines.append(
                    f"| {row.workload} | {who} | " + " | ".join(f"{v:.3g}" for v in delays.values()) + " |"
                )
    return "\n".join(lines)


def footprint() -> str:
    """Show what installations weigh, and what is aimed at."""
    found = _peer_bench().footprint
    lines = [
        "| | installed MB, without numpy | s to import | MB held | s for a command |",
        "|---|---|---|---|---|",
    ]
    for row in found.rows:
        if row.not_run:
            lines.append(f"| {row.name} | not run: {row.not_run} | | | |")
            continue
        command = "" if row.command_s is None else f"{row.command_s:.2f}"
        facts = f"{row.installed_mb:.1f} | {row.import_s:.3f} | {row.memory_mb:.0f}"
        lines.append(f"| {row.name} | {facts} | {command} |")
    goals = found.goals
    facts = f"{goals['installed_mb']:.0f} | {goals['import_s']} | {goals['memory_mb']:.0f}"
    return "\n".join([*lines, f"| goal, at most | {facts} | {goals['command_s']} |"])


def bounds() -> dict[str, str]:
    """Read what bounds the cases whose goal is missed: a text for each, by the name of the case."""
    return tomllib.loads(REASONS.read_text(encoding="utf-8"))


def missed() -> set[str]:
    """Name the cases whose goal is missed."""
    return {row.name for row in _peer_bench().measured if row.ratio < row.goal}


def peer_bounds() -> str:
    """Say of each missed goal what bounds it; cases with one reason share a line."""
    texts = bounds()
    cases_of: dict[str, list[str]] = {}
    for row in _peer_bench().measured:
        if row.name in missed() and row.name in texts:
            cases_of.setdefault(texts[row.name], []).append(row.name)
    return "\n".join(f"- **{'; '.join(names)}**: {text}" for text, names in cases_of.items())


def peer_goals() -> str:
    """Say for each workload whether the goal is reached, and by how much it is missed."""
    lines = ["| workload | peer | goal | reached | |", "|---|---|---|---|---|"]
    for row in _peer_bench().measured:
        gap = 1 - row.ratio / row.goal
        verdict = "met" if gap <= 0 else f"missed by {gap:.0%}"
        lines.append(f"| {row.workload} | {row.peer} | {row.goal:.3g}x | {row.ratio:.2f}x | {verdict} |")
    return "\n".join(lines)


def peer_machine() -> str:
    """Describe what the table was made on."""
    bench = _peer_bench()
    on = bench.machine
    ours = sorted({f"tradecore {row.version} on Python {row.python}" for row in bench.measured})
    theirs = sorted({f"{row.peer} {row.peer_version} on Python {row.peer_python}" for row in bench.measured})
    busy = (
        "Other work ran on the machine meanwhile: times are processor time, and the tails suffer."
        if any(row.busy for row in bench.rows)
        else "Nothing else ran on the machine."
    )
    return "\n".join(
        [
            f"{on.processor} (model {on.model}), {on.cores} cores, {on.memory_gb} GB, {on.system}. {busy}",
            "Peer and tradecore ran in turn; the best run of each side counts (baseline.json keeps all).",
            "",
            *(f"- {name}" for name in [*ours, *theirs]),
        ]
    )


def _short(value: float) -> str:
    """Write a figure with three digits and its magnitude."""
    for limit, sign in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= limit:
            return f"{value / limit:.3g}{sign}"
    return f"{value:.3g}"


def _table(table: types.StructType) -> str:
    rows = [
        f"| `{field.encode_name}` | {_kind(field.type)} | {'needed' if field.required else _default(field)} |"
        for field in table.fields
    ]
    about = inspect.getdoc(table.cls) or ""
    if about.startswith("`["):
        # The heading says already which table it is.
        about = about.partition(": ")[2]
        about = about[:1].upper() + about[1:]
    if not rows:
        return f"{about.rstrip()}\n\nIt has no other keys."
    return "\n".join([about, "", "| key | kind | default |", "|---|---|---|", *rows])


def _structs(kind: types.Type) -> Iterator[types.StructType]:
    """Find the tables a key can hold: itself, those of a list, or one of several kinds."""
    match kind:
        case types.StructType():
            yield kind
        case types.VarTupleType():
            yield from _structs(kind.item_type)
        case types.DictType():
            yield from _structs(kind.value_type)
        case types.UnionType():
            for member in kind.types:
                yield from _structs(member)


def _kind(kind: types.Type) -> str:
    match kind:
        case types.EnumType():
            return ", ".join(f"`{member.value}`" for member in kind.cls)
        case types.UnionType():
            return " or ".join(_kind(m) for m in kind.types if not isinstance(m, types.NoneType))
        case types.VarTupleType():
            return f"list of {_kind(kind.item_type)}"
        case types.DictType():
            return "table"
        case types.StructType():
            return f"table `{kind.tag}`" if kind.tag else "table"
    bounds = [
        f"{word} {bound:,.0f}"
        for key, word in BOUNDS.items()
        if (bound := getattr(kind, key, None)) is not None
    ]
    return f"{NAMES[type(kind)]} {' and '.join(bounds)}".rstrip()


def _default(field: types.Field) -> str:
    value = field.default if field.default is not msgspec.NODEFAULT else field.default_factory()
    is_shown = value not in (None, "", (), {}) and not isinstance(value, msgspec.Struct)
    return f"`{_plain(value)}`" if is_shown else "-"


def _plain(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(msgspec.to_builtins(value))


def command_line() -> str:
    """List every command with its arguments, as the parser of the command line knows them."""
    return "\n\n".join(_commands(build_parser(), "tradecore"))


def _commands(parser: argparse.ArgumentParser, name: str) -> Iterator[str]:
    """Describe the commands below a parser; a command that has commands is only the way to them."""
    for action in parser._actions:  # noqa: SLF001 - argparse shows its actions nowhere else
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001 - as above
            about = {choice.dest: choice.help for choice in action._choices_actions}  # noqa: SLF001 - as above
            for command, below in action.choices.items():
                deeper = list(_commands(below, f"{name} {command}"))
                yield from deeper or [_command(below, f"{name} {command}", about[command] or "")]


def _command(parser: argparse.ArgumentParser, name: str, about: str) -> str:
    rows = []
    for action in parser._actions:  # noqa: SLF001 - argparse shows its actions nowhere else
        if isinstance(action, argparse._HelpAction):  # noqa: SLF001 - as above
            continue
        shown = ", ".join(action.option_strings)
        value = "" if action.nargs == 0 else str(action.metavar or action.dest)
        choices = f" ({', '.join(map(str, action.choices))})" if action.choices else ""
        rows.append(f"| `{f'{shown} {value}'.strip()}` | {action.help or ''}{choices} |")
    table = ["| argument | what it is |", "|---|---|", *rows] if rows else []
    return "\n".join([f"## `{name}`", "", f"{about[:1].upper()}{about[1:]}.", "", *table]).rstrip()


# What a program imports, module by module.
PUBLIC = {
    "tradecore": tradecore.__all__,
    "tradecore.backtest": ("run",),
    "tradecore.frames": frames.__all__,
    "tradecore.strategy.indicators": indicators.__all__,
    "tradecore_files": tradecore_files.__all__,
}


def python_names() -> str:
    """List every public Python name with the first line of its documentation, and the methods of classes."""
    lines: list[str] = []
    for module, names in PUBLIC.items():
        lines += [f"## `{module}`", ""]
        for name in names:
            if name != "__version__":
                lines += _public(getattr(importlib.import_module(module), name), name)
    return "\n".join(lines).rstrip()


def _public(value: object, name: str) -> list[str]:
    lines = [f"- `{_call(value, name)}`: {_first_line(value)}"]
    if isinstance(value, type) and not issubclass(value, (enum.Enum, Exception)):
        lines += [
            f"  - `{_call(member, method)}`: {_first_line(member)}"
            for method, member in _members(value).items()
            if not method.startswith("_") and _first_line(member)
        ]
    if isinstance(value, type) and issubclass(value, enum.Enum):
        lines[0] += f" One of {', '.join(f'`{member.value}`' for member in value)}."
    return [*lines, ""]


def _members(value: type) -> dict[str, object]:
    """List methods and properties, inherited ones first; native classes know no order, so by name."""
    members: dict[str, object] = {}
    for kind in reversed(value.__mro__[:-1]):
        found = [
            (name, member)
            for name, member in vars(kind).items()
            if callable(member) or isinstance(member, (property, types_of_python.GetSetDescriptorType))
        ]
        is_python = any(inspect.isfunction(member) for _, member in found)
        members |= dict(found if is_python else sorted(found, key=lambda pair: pair[0]))
    return members


def _call(value: object, name: str) -> str:
    """Write a name with the names of its parameters; what takes keywords alone says so."""
    if isinstance(value, (type, property, types_of_python.GetSetDescriptorType)):
        return name
    try:
        parameters = inspect.signature(value).parameters.values()  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return name
    kept = [part for part in parameters if part.name not in {"self", "cls"}]
    return f"{name}({', '.join(part.name for part in kept)})"


def _first_line(value: object) -> str:
    return (inspect.getdoc(value) or "").partition("\n\n")[0].replace("\n", " ").strip()


PARTS: dict[tuple[str, str], Callable[[], str]] = {
    ("docs/orders.md", "life cycle"): life_cycle,
    ("docs/orders.md", "venues"): venue_table.table,
    ("docs/configuration.md", "settings"): settings,
    ("docs/exit-codes.md", "exit codes"): exit_codes,
    ("docs/command-line.md", "commands"): command_line,
    ("docs/python.md", "names"): python_names,
    ("docs/journal.md", "kinds"): kinds,
    ("docs/audit.md", "rules"): audit_rules,
    ("docs/local-venue.md", "error classes"): venue_errors,
    ("docs/planted-bugs.md", "bugs"): planted_bugs,
    ("docs/controls.md", "controls"): controls,
    ("docs/controls.md", "fixed"): fixed,
    ("docs/resources.md", "resources"): resources,
    ("docs/resources.md", "stops"): stops,
    ("docs/performance.md", "peers"): peers,
    ("docs/performance.md", "delays"): peer_delays,
    ("docs/performance.md", "goals"): peer_goals,
    ("docs/performance.md", "bounds"): peer_bounds,
    ("docs/performance.md", "footprint"): footprint,
    ("docs/performance.md", "machine"): peer_machine,
    ("docs/promises.md", "promises"): promise_table,
    ("docs/promises.md", "run"): promise_run,
}


def replaced(text: str, name: str, body: str) -> str:
    """Return a document with the body of one generated part exchanged.

    Raises
    ------
    ValueError
        When the document does not have both marks of the part, once each and in order.
    """
    begin, end = f"<!-- begin generated: {name} -->\n", f"\n<!-- end generated: {name} -->"
    before, found_begin, rest = text.partition(begin)
    _, found_end, after = rest.partition(end)
    if not (found_begin and found_end) or begin in rest or end in after:
        raise ValueError(f"no part {name!r}: it stands between {begin.strip()} and {end.strip()}")
    return f"{before}{begin}{body}{end}{after}"


def out_of_date() -> dict[Path, str]:
    """Return every document whose generated parts differ from what would be written, with its new text."""
    changed: dict[Path, str] = {}
    for (document, name), generate in PARTS.items():
        path = ROOT / document
        text = changed.get(path, path.read_text(encoding="utf-8"))
        after = replaced(text, name, generate())
        if after != text:
            changed[path] = after
    return changed


def main() -> int:
    """Write, or only check.

    Returns
    -------
    int
        1 when `--check` found a document that is out of date, else 0.
    """
    parser = argparse.ArgumentParser(description="Write the generated parts of the documents.")
    parser.add_argument("--check", action="store_true", help="write nothing; 1 when something is out of date")
    is_check = parser.parse_args().check
    changed = out_of_date()
    for path, text in changed.items():
        print(f"{path.name}: {'out of date, run `make generate`' if is_check else 'written'}")
        if not is_check:
            path.write_text(text, encoding="utf-8")
    return int(is_check and bool(changed))


if __name__ == "__main__":
    sys.exit(main())
