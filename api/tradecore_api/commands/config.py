"""`tradecore config check | schema`."""

import argparse
import sys
from pathlib import Path

from tradecore.domain.errors import ConfigError
from tradecore_api.config import read
from tradecore_api.config.schema import schema as json_schema
from tradecore_api.exit_codes import ExitCode
from tradecore_api.failures import report_alone
from tradecore_api.output import print_json
from tradecore_api.wiring import engines


def check(arguments: argparse.Namespace) -> int:
    """Say everything that is wrong with a file, strategies and their parameters included."""
    path = Path(arguments.config)
    found = read.reading(path, options=arguments.settings)
    problems = engines.problems_of(found)
    notes = [] if problems else engines.notes_of(found)
    if arguments.json:
        plain = [_plain(error) for error in problems]
        print_json({"path": str(path), "ok": not problems, "problems": plain, "notes": notes})
    else:
        for error in problems:
            report_alone(error)
        for note in notes:
            print(f"warning: {note}", file=sys.stderr)
        if not problems:
            print(f"{path}: ok")
    return ExitCode.CONFIG if problems else ExitCode.OK


def schema(_arguments: argparse.Namespace) -> int:
    """Print the JSON schema of a configuration file."""
    print_json(json_schema())
    return ExitCode.OK


def _plain(error: ConfigError) -> dict[str, object]:
    return {"source": error.source, "key": error.key, "value": str(error.value), "rule": error.rule}
