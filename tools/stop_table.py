"""The table of every way to stop with everything gone, from what its test holds the program against."""

import tomllib
from pathlib import Path

FACTS = Path(__file__).resolve().parents[1] / "tests" / "faults" / "stops.toml"
# What is a command and has an exit code; SIGTERM has that of the engine.
_COMMANDS = frozenset(
    {"pause", "cancel-all", "cancel-all of a part", "flatten", "kill", "emergency-stop", "SIGTERM"}
)


def stops() -> str:
    """List what is gone, way by way: the exit code, `yes` where there is none, `-` where it is needed."""
    facts = tomllib.loads(FACTS.read_text(encoding="utf-8"))
    ways = facts["ways"]
    lines = [f"| gone | {' | '.join(ways)} | |", f"|---|{'---|' * len(ways)}---|"]
    for gone in facts["gone"]:
        cells = [_cell(gone, way) for way in ways]
        lines.append(f"| {gone['name']} | {' | '.join(cells)} | {gone.get('note', '')} |")
    return "\n".join(lines)


def _cell(gone: dict[str, object], way: str) -> str:
    needed_by, codes = gone.get("needed_by", []), gone.get("codes", {})
    if isinstance(needed_by, list) and way in needed_by:
        return "-"
    code = codes.get(way, 0) if isinstance(codes, dict) else 0
    return str(code) if way in _COMMANDS else "yes"
