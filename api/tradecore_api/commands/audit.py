"""`tradecore audit`: a second opinion on a journal, by code that shares nothing with what wrote it."""

import argparse
import signal
from pathlib import Path

from tradecore.domain.errors import DataError, StorageError
from tradecore.domain.quoted import cut, printable
from tradecore.domain.units import exact_money
from tradecore_api import process_deadline, signals
from tradecore_api.exit_codes import ExitCode
from tradecore_api.output import print_json, print_json_line, print_note, print_values
from tradecore_api.wiring import local_venue
from tradecore_audit import truth
from tradecore_audit.audit import Audit, Report
from tradecore_audit.errors import DamagedError, UnreadableError
from tradecore_audit.findings import Finding
from tradecore_audit.watch import Watch

# Of the differences as many are printed; `--json` has more.
LINES_MAX = 40
_WORDS_MAX = 400
_SIGNALS = (signal.SIGINT, signal.SIGTERM)


def audit(arguments: argparse.Namespace) -> int:
    """Work a journal out anew and say every difference; with `--follow` go on while it is written."""
    path = Path(arguments.journal)
    if arguments.is_followed:
        return _follow(path, arguments)
    if not path.is_file():
        raise StorageError(str(path), "there is no journal of this name")
    found = Audit(path, has_hashes=not arguments.is_quick)
    try:
        found.catch_up()
        found.settle()
        if arguments.venue is not None:
            account = arguments.account or found.first_account
            log = truth.read(local_venue.log_of(Path(arguments.venue), account), arguments.venue)
            found.against(log, account)
    except UnreadableError as error:
        raise StorageError(error.where, error.what) from error
    except DamagedError as error:
        raise DataError(error.where, error.what) from error
    finally:
        found.close()
    report = found.report()
    if arguments.json:
        print_json({"journal": arguments.journal, "is_clean": report.is_clean, **_plain(report)})
    else:
        _print(report, arguments.journal)
    return ExitCode.OK if report.is_clean else ExitCode.CHECK_FAILED


def _plain(report: Report) -> dict[str, object]:
    """Return a report with money as exact decimals."""
    values: dict[str, object] = {name: getattr(report, name) for name in report.__struct_fields__}
    money = {
        name: {what: exact_money(atto) for what, atto in of.items()} for name, of in report.money.items()
    }
    return values | {"money": money}


def _print(report: Report, journal: str) -> None:
    print(f"{'nothing differs' if report.is_clean else f'{report.differences} DIFFERENCES'}\n")
    values: dict[str, object] = {
        "journal": journal,
        "records": f"{report.records:,}, {report.audited:,} of them counted",
        "files": report.segments,
        "mode": report.mode or None,
        "orders": f"{report.approved:,} approved, {report.sent:,} sent, {report.open_orders:,} open",
        "fills": report.fills,
        "positions": {name: f"{lots} lots" for name, lots in report.positions.items()},
    }
    for name, of in report.money.items():
        values[f"money in {name}"] = {what: exact_money(atto) for what, atto in of.items()}
    values["compared"] = report.checked
    if report.dropped:
        values["dropped"] = f"{report.dropped:,} market events, which an archive has left out"
    if report.is_torn:
        values["end"] = "within a block, as after a crash or beside an engine at work"
    print_values(values)
    if report.findings:
        print("\ndifferences")
    for finding in report.findings[:LINES_MAX]:
        print(f"- {_line(finding)}")
    if report.differences > LINES_MAX:
        print(f"  and {report.differences - LINES_MAX} more; --json has the first {len(report.findings)}")
    if report.unchecked:
        print("\nnot worked out")
    for what, why in report.unchecked.items():
        print(f"- {printable(what)}: {printable(why)}")


def _line(finding: Finding) -> str:
    return cut(printable(finding.line), _WORDS_MAX)


def _follow(path: Path, arguments: argparse.Namespace) -> int:
    """Say each difference as it comes, until Ctrl-C or SIGTERM."""
    is_ended = False

    def end(*_: object) -> None:
        nonlocal is_ended
        is_ended = True

    def tell(finding: Finding) -> None:
        if arguments.json:
            print_json_line(finding)
        else:
            print(f"DIFFERS: {_line(finding)}", flush=True)

    watch = Watch(path, has_hashes=not arguments.is_quick, tell=tell, say=print_note)
    handlers = {number: signals.install(number, end) for number in _SIGNALS}
    process_deadline.wait_for(_SIGNALS, process_deadline.SECONDS, ExitCode.INTERRUPTED)
    try:
        watch.run(lambda: is_ended, every=arguments.every)
    finally:
        signals.let_go()
        for number, handler in handlers.items():
            signals.install(number, handler)
    records = 0 if watch.audit is None else watch.audit.report().records
    print_note(f"{records:,} records were read, {watch.differences} differences were found")
    return ExitCode.CHECK_FAILED if watch.differences else ExitCode.OK
