"""Write the generated parts of the documents anew, or say with `--check` which of them are out of date.

A generated part stands between `<!-- begin generated: NAME -->` and `<!-- end generated: NAME -->`.
"""

import argparse
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from tradecore_api.exit_codes import ExitCode

ROOT = Path(__file__).resolve().parents[1]


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


PARTS: dict[tuple[str, str], Callable[[], str]] = {
    ("ARCHITECTURE.md", "life cycle"): life_cycle,
    ("README.md", "exit codes"): exit_codes,
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
