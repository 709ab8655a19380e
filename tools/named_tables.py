"""Tables of what has a name and a meaning: exit codes, rules of the auditor."""

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
