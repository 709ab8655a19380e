"""Tables of what has a name and a meaning: exit codes, rules of the auditor, bugs that are planted."""

import importlib
import sys
from pathlib import Path

from tradecore_api.exit_codes import ExitCode
from tradecore_audit.findings import RULES


def exit_codes() -> str:
    """List the exit codes as the command line defines them."""
    rows = [f"| {code.value} | {code.meaning} |" for code in ExitCode]
    return "\n".join(["| code | meaning |", "|---|---|", *rows])


def audit_rules() -> str:
    """List the rules of the auditor, each with what it holds to be true."""
    rows = [f"| `{name}` | {about} |" for name, about in RULES.items()]
    return "\n".join(["| rule | what is held to be true |", "|---|---|", *rows])


def planted_bugs() -> str:
    """List the bugs that can be planted, by the promise that each breaks."""
    sys.path.append(str(Path(__file__).resolve().parents[1] / "tests"))
    bugs = importlib.import_module("promises.planted.table").BUGS.values()
    by_promise = sorted(bugs, key=lambda bug: (bug.promise[0] != "P", int(bug.promise[1:]), bug.name))
    rows = [f"| {bug.promise} | {bug.breaks} | `{bug.path}` | {bug.catcher.words} |" for bug in by_promise]
    return "\n".join(["| promise | bug | file | noticed by |", "|---|---|---|---|", *rows])
