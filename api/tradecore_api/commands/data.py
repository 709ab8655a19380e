"""`tradecore data inspect`."""

import argparse
from pathlib import Path

from tradecore.domain.errors import DataError
from tradecore_api import wiring
from tradecore_api.exit_codes import ExitCode
from tradecore_api.output import print_json, print_values


def inspect(arguments: argparse.Namespace) -> int:
    """Say what a data file holds and what is wrong with it."""
    if not Path(arguments.path).is_file():
        raise DataError(arguments.path, "no such file")
    report = wiring.inspect_data(arguments.path)
    if arguments.json:
        print_json(report)
    else:
        print_values(report)
    return ExitCode.CHECK_FAILED if report.get("problems") else ExitCode.OK
