"""`python -m tradecore_audit JOURNAL [VENUE-LOG ACCOUNT]`: the auditor without anything of tradecore."""

import sys
from pathlib import Path

import msgspec

from tradecore_audit import truth
from tradecore_audit.audit import Audit
from tradecore_audit.errors import AuditError

_CLEAN, _DIFFERS, _USAGE, _UNREADABLE = 0, 1, 2, 74


def main(arguments: list[str]) -> int:
    """Audit a journal, print the report as JSON, and return the exit code."""
    if len(arguments) not in (1, 3):
        sys.stderr.write("usage: python -m tradecore_audit JOURNAL [VENUE-LOG ACCOUNT]\n")
        return _USAGE
    try:
        audit = Audit(Path(arguments[0]))
        audit.catch_up()
        audit.settle()
        if len(arguments) == 3:
            log = truth.read(Path(arguments[1]).read_bytes(), arguments[1])
            audit.against(log, arguments[2])
    except (AuditError, OSError) as error:
        sys.stderr.write(f"tradecore_audit: {error}\n")
        return _UNREADABLE
    report = audit.report()
    sys.stdout.write(msgspec.json.format(msgspec.json.encode(report), indent=2).decode() + "\n")
    return _CLEAN if report.is_clean else _DIFFERS


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
