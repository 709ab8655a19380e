"""`tradecore start-report` and `tradecore dead-letters`: what a live engine left for people."""

import argparse
from pathlib import Path

from tradecore.domain.journal import JournalFolder
from tradecore.domain.order_words import price_text
from tradecore.domain.outside_words import adopted_words
from tradecore.domain.quoted import cut, printable
from tradecore.domain.times import iso_time
from tradecore.domain.units import Units
from tradecore.runtime.live.record_accounts import of_account
from tradecore.runtime.live.start_report import FillFound, SignedReport
from tradecore_api.config import read
from tradecore_api.dead_letters import DeadLetters
from tradecore_api.exit_codes import ExitCode
from tradecore_api.live_papers import read_report, words_of
from tradecore_api.output import plain, print_json, print_note, print_values
from tradecore_api.own_journal import journal_folder
from tradecore_api.state_dir import StateDir
from tradecore_api.wiring.live import report_key
from tradecore_api.wiring.live_accounts import accounts_of

_WORDS_MAX = 400
# Of one list as many are printed.
LINES_MAX = 40


def start_report(arguments: argparse.Namespace) -> int:
    """Show the last start report of each account, after signature and journal were held against it."""
    config = read.load(Path(arguments.config), options=arguments.settings)
    state = StateDir(config.tables.account.name)
    accounts = accounts_of(config)
    parts = [account.part for account in accounts]
    folder = journal_folder(config.tables, state)
    units = Units(config.engine_spec(), [each.name for each in config.strategies])
    code, rows = ExitCode.OK, {}
    for number, account in enumerate(accounts):
        papers = state.of_venue_account(account.part.name)
        signed = read_report(papers)
        if signed is None:
            said = "no start of this account has come to an agreement with its venue yet"
            print_note(f"{papers.start_report}: {said}")
            code = ExitCode.CHECK_FAILED
            continue
        folder.check_exists()
        concerns = of_account(account.part, parts)
        problems = signed.problems(report_key(config, account.live), folder, concerns)
        if problems:
            code = ExitCode.CHECK_FAILED
        found = {"is_genuine": not problems, "problems": problems, "dropped": signed.report.dropped()}
        later = 0 if problems else _starts_after(folder, signed.report.facts.agreed_seq)
        if later:
            code = ExitCode.CHECK_FAILED
        rows[account.part.name] = found | {"later_starts": later} | plain(signed)
        if not arguments.json:
            print(end="\n" if number else "")
            name = "" if account.is_only else account.part.name
            _print(signed, problems, folder, name, later, units)
    if arguments.json and rows:
        print_json(rows if len(accounts) > 1 else next(iter(rows.values())))
    return code


def _starts_after(folder: JournalFolder, seq: int) -> int:
    """Return how many starts a journal has behind a record, none of which has written a report."""
    return sum(kind == "session" and number > seq for number, _, kind, _ in folder.reader())


def _print(
    signed: SignedReport, problems: list[str], folder: JournalFolder, account: str, later: int, units: Units
) -> None:
    report, facts = signed.report, signed.report.facts
    values: dict[str, object] = {"account": account} if account else {}
    values |= {
        "start report": words_of(signed),
        "agreed at": iso_time(facts.agreed_ns),
        "journal": f"{folder.where}, records {facts.from_seq} to {facts.agreed_seq}",
        "signature": "; ".join(problems) or "genuine, and the journal says the same",
    }
    if later:
        starts = "1 later start has" if later == 1 else f"{later} later starts have"
        values["but"] = f"{starts} no report: books and venue have not agreed since (`tradecore status`)"
    print_values(values)
    for title, lines in (
        ("in doubt", [f"order {each.order_id}: {each.became or 'is so still'}" for each in facts.doubts]),
        ("booked", [_fill_words(each, units) for each in facts.fills]),
        ("ended meanwhile", facts.ends),
        ("the venue surprised", facts.surprises),
        ("taken over from others", [adopted_words(each, units) for each in facts.adopted]),
        ("orders of others", report.foreign_orders),
    ):
        _print_list(title, list(lines))


def _fill_words(fill: FillFound, units: Units) -> str:
    size = f"{units.quantity(fill.instrument, fill.lots):f} {units.symbol(fill.instrument)}"
    name = f", trade {fill.trade_id}" if fill.trade_id else ""
    return f"order {fill.order_id}: {size} at {price_text(units, fill.instrument, fill.price_ticks)}{name}"


def dead_letters(arguments: argparse.Namespace) -> int:
    """Show the messages that were not understood; a later start tries them again."""
    config = read.load(Path(arguments.config), options=arguments.settings)
    state = StateDir(config.tables.account.name)
    names = config.engine_spec().account_names
    kept = {name: DeadLetters(state.of_venue_account(name).dead_letters) for name in names}
    letters = [(name, letter) for name, each in kept.items() for letter in each.all()]
    if arguments.json:
        several = len(names) > 1
        print_json([({"account": name} if several else {}) | plain(letter) for name, letter in letters])
        return ExitCode.OK
    for name, letter in letters:
        read_at = "" if letter.read_ns is None else f" (understood {iso_time(letter.read_ns, 0)})"
        where = f"{name}  " if len(names) > 1 else ""
        print(f"{iso_time(letter.time_ns, 3)}  {where}{_in_one_line(letter.why)}{read_at}")
        print(f"    {_in_one_line(letter.text)}")
    for each in () if letters else kept.values():
        print_note(f"{each.__fspath__()}: every message was understood")
    return ExitCode.OK


def _print_list(title: str, lines: list[str]) -> None:
    if lines:
        print(f"\n{title}")
    for line in lines[:LINES_MAX]:
        print(f"- {_in_one_line(line)}")
    if len(lines) > LINES_MAX:
        print(f"  and {len(lines) - LINES_MAX} more; --json has all")


def _in_one_line(text: str) -> str:
    """Return what a stranger said as a terminal may show it."""
    return cut(printable(" ".join(text.split())), _WORDS_MAX)
