"""`tradecore approvals`: the wishes that wait for a person's yes."""

import argparse
import sys

import msgspec

from tradecore_api.exit_codes import ExitCode
from tradecore_api.output import print_json
from tradecore_api.standing import DEAD, HUNG, RUNNING, STOPPED, look
from tradecore_api.state_dir import StateDir, known_accounts

_CODES = {HUNG: ExitCode.HUNG, DEAD: ExitCode.DEAD, STOPPED: ExitCode.NOT_RUNNING}
_UNKNOWN = "only a running engine says what waits: a wish waits in the journal for the next start"


class _Told(msgspec.Struct, frozen=True):
    waiting_rows: tuple[dict[str, str | int], ...] = ()


def approvals(arguments: argparse.Namespace) -> int:
    """List what waits, of an account or of every one that runs, oldest first."""
    names = [arguments.account] if arguments.account else known_accounts()
    rows: list[dict[str, str | int]] = []
    codes: list[int] = []
    for name in names:
        StateDir(name)
        entry = look(name)
        if entry.state == RUNNING:
            told = msgspec.convert(entry.engine, _Told)
            rows += [{"account": name, **row} for row in told.waiting_rows]
            codes.append(ExitCode.OK)
        elif arguments.account or entry.state == HUNG:
            print(f"tradecore: {name}: {entry.state}; {_UNKNOWN}", file=sys.stderr)
            codes.append(_CODES[entry.state])
    if arguments.json:
        print_json(rows)
        return max(codes, default=ExitCode.OK)
    for row in rows:
        print(f"{row['account']}  {row['wish']}  {row['strategy']}: {row['what']}")
        print(
            f"    worth {row['value']}, market at {row['market']}; asked {row['asked']}, until {row['until']}"
        )
    if not rows and len(codes) == codes.count(ExitCode.OK):
        print("nothing waits for approval", file=sys.stderr)
    return max(codes, default=ExitCode.OK)
