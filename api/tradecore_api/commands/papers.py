"""`tradecore start-report` and `tradecore dead-letters`: what a live engine left for people."""

import argparse
from pathlib import Path

from tradecore.domain.journal import JournalFolder
from tradecore.domain.quoted import cut, printable
from tradecore.domain.times import iso_time
from tradecore_api.config import read
from tradecore_api.config.tables import Config
from tradecore_api.dead_letters import DeadLetters
from tradecore_api.exit_codes import ExitCode
from tradecore_api.live_papers import read_report, words_of
from tradecore_api.output import plain, print_json, print_note, print_values
from tradecore_api.state_dir import StateDir
from tradecore_api.wiring.live import report_key

_WORDS_MAX = 400


def start_report(arguments: argparse.Namespace) -> int:
    """Show the last start report, after its signature and the journal were held against it."""
    config, state = _named(arguments)
    signed = read_report(state)
    if signed is None:
        print_note(
            f"{state.start_report}: no start of this account has come to an agreement with its venue yet"
        )
        return ExitCode.CHECK_FAILED
    folder = JournalFolder(config.tables.journal.path or state.journal)
    folder.check_exists()
    problems = signed.problems(report_key(config), folder)
    report = signed.report
    if arguments.json:
        print_json(
            {"is_genuine": not problems, "problems": problems, "dropped": report.dropped()} | plain(signed)
        )
    else:
        values: dict[str, object] = {
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
    return ExitCode.CHECK_FAILED if problems else ExitCode.OK


def dead_letters(arguments: argparse.Namespace) -> int:
    """Show the messages that were not understood; a later start tries them again."""
    _, state = _named(arguments)
    letters = DeadLetters(state.dead_letters).all()
    if arguments.json:
        print_json([plain(letter) for letter in letters])
        return ExitCode.OK
    for letter in letters:
        read_at = "" if letter.read_ns is None else f" (understood {iso_time(letter.read_ns, 0)})"
        print(f"{iso_time(letter.time_ns, 3)}  {_in_one_line(letter.why)}{read_at}")
        print(f"    {_in_one_line(letter.text)}")
    if not letters:
        print_note(f"{state.dead_letters}: every message was understood")
    return ExitCode.OK


def _named(arguments: argparse.Namespace) -> tuple[Config, StateDir]:
    config = read.load(Path(arguments.config), options=arguments.settings)
    return config, StateDir(config.tables.account.name)


def _print_list(title: str, lines: list[str]) -> None:
    if lines:
        print(f"\n{title}")
    for line in lines:
        print(f"- {_in_one_line(line)}")


def _in_one_line(text: str) -> str:
    """Return what a stranger said as a terminal may show it."""
    return cut(printable(" ".join(text.split())), _WORDS_MAX)
