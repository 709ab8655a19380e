"""`tradecore start-report` and `tradecore dead-letters`: what a live engine left for people."""

import argparse
from pathlib import Path

from tradecore.domain.journal import JournalFolder
from tradecore.domain.quoted import cut, printable
from tradecore.domain.times import iso_time
from tradecore.runtime.live.record_accounts import of_account
from tradecore.runtime.live.start_report import SignedReport
from tradecore_api.config import read
from tradecore_api.dead_letters import DeadLetters
from tradecore_api.exit_codes import ExitCode
from tradecore_api.live_papers import read_report, words_of
from tradecore_api.output import plain, print_json, print_note, print_values
from tradecore_api.state_dir import StateDir
from tradecore_api.wiring.live import report_key
from tradecore_api.wiring.live_accounts import accounts_of

_WORDS_MAX = 400


def start_report(arguments: argparse.Namespace) -> int:
    """Show the last start report of each account, after signature and journal were held against it."""
    config = read.load(Path(arguments.config), options=arguments.settings)
    state = StateDir(config.tables.account.name)
    accounts = accounts_of(config)
    parts = [account.part for account in accounts]
    folder = JournalFolder(config.tables.journal.path or state.journal)
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
        rows[account.part.name] = found | plain(signed)
        if not arguments.json:
            print(end="\n" if number else "")
            _print(signed, problems, folder, "" if account.is_only else account.part.name)
    if arguments.json and rows:
        print_json(rows if len(accounts) > 1 else next(iter(rows.values())))
    return code


def _print(signed: SignedReport, problems: list[str], folder: JournalFolder, account: str) -> None:
    report = signed.report
    values: dict[str, object] = {"account": account} if account else {}
    values |= {
        "start report": words_of(signed),
        "agreed at": iso_time(report.facts.agreed_ns),
        "journal": f"{folder.where}, records {report.facts.from_seq} to {report.facts.agreed_seq}",
        "signature": "; ".join(problems) or "genuine, and the journal says the same",
    }
    print_values(values)
    for title, lines in (
        ("ended meanwhile", report.facts.ends),
        ("the venue surprised", report.facts.surprises),
        ("taken over from others", report.facts.adopted),
        ("orders of others", report.foreign_orders),
    ):
        _print_list(title, list(lines))


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
    for line in lines:
        print(f"- {_in_one_line(line)}")


def _in_one_line(text: str) -> str:
    """Return what a stranger said as a terminal may show it."""
    return cut(printable(" ".join(text.split())), _WORDS_MAX)
