"""Write the generated parts of the documents anew, or say with `--check` which of them are out of date.

A generated part stands between `<!-- begin generated: NAME -->` and `<!-- end generated: NAME -->`.
"""

import argparse
import inspect
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
from msgspec import inspect as types

from tradecore_api.config.tables import ConfigTables
from tradecore_api.exit_codes import ExitCode

ROOT = Path(__file__).resolve().parents[1]
NAMES = {types.StrType: "text", types.IntType: "integer", types.FloatType: "number", types.BoolType: "bool"}
BOUNDS = {"ge": "at least", "gt": "above", "le": "at most", "lt": "below"}


def life_cycle() -> str:
    """Draw the life of an order from the table the ledger works with."""
    cargo = shutil.which("cargo") or "cargo"
    command = [cargo, "run", "--quiet", "--locked", "-p", "tradecore-ledger", "--example", "life_cycle"]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    return f"```mermaid\n{done.stdout.rstrip()}\n```"


def exit_codes() -> str:
    """List the exit codes as the command line defines them."""
    rows = [f"| {code.value} | {code.meaning} |" for code in ExitCode]
    return "\n".join(["| code | meaning |", "|---|---|", *rows])


def settings() -> str:
    """List every key of a configuration file with its kind and default."""
    parts: list[str] = []
    shown: dict[type, str] = {}
    whole = types.type_info(ConfigTables)
    for field in whole.fields if isinstance(whole, types.StructType) else ():
        tables = list(_structs(field.type))
        if not tables:
            parts.append(f"`{field.encode_name}`: {_kind(field.type)}; default `{_plain(field.default)}`")
        is_list = isinstance(field.type, types.VarTupleType)
        title = f"[[{field.encode_name}]]" if is_list else f"[{field.encode_name}]"
        for table in tables:
            parts.append(f"## `{title}`" + (f' `kind = "{table.tag}"`' if table.tag else ""))
            parts.append(f"As `{shown[table.cls]}`." if table.cls in shown else _table(table))
            shown[table.cls] = title
    return "\n\n".join(parts)


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
    return "\n".join([about, "", "| key | kind | default |", "|---|---|---|", *rows])


def _structs(kind: types.Type) -> Iterator[types.StructType]:
    """Find the tables a key can hold: itself, those of a list, or one of several kinds."""
    match kind:
        case types.StructType():
            yield kind
        case types.VarTupleType():
            yield from _structs(kind.item_type)
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
    return f"`{_plain(value)}`" if value not in (None, "", (), {}) else "-"


def _plain(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(msgspec.to_builtins(value))


PARTS: dict[tuple[str, str], Callable[[], str]] = {
    ("ARCHITECTURE.md", "life cycle"): life_cycle,
    ("README.md", "exit codes"): exit_codes,
    ("docs/configuration.md", "settings"): settings,
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
