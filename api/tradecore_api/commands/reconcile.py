"""`tradecore reconcile`: what venue and journal do not agree on; nothing is changed on either side."""

import argparse
import asyncio
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path

from tradecore.domain.quoted import cut, printable
from tradecore.domain.times import iso_time
from tradecore.domain.units import trimmed
from tradecore.runtime.live.comparison import Comparison, Finding
from tradecore_api.config import read
from tradecore_api.exit_codes import ExitCode
from tradecore_api.held_words import held_words
from tradecore_api.output import print_json, print_note, print_values
from tradecore_api.own_journal import journal_folder
from tradecore_api.state_dir import StateDir
from tradecore_api.wiring import feeds
from tradecore_api.wiring.live_accounts import accounts_of
from tradecore_api.wiring.reconciling import compare

_CODES = {"agree": ExitCode.OK, "differ": ExitCode.CHECK_FAILED, "undecided": ExitCode.UNAVAILABLE}
_WORST_FIRST = ("differ", "undecided", "agree")
_VERDICTS = {
    "agree": "books and venue agree",
    "differ": "books and venue DIFFER",
    "undecided": "nothing follows: the venue did not show all",
}
# Of one list as many are printed; `--json` has all.
LINES_MAX = 40
_WORDS_MAX = 400


def reconcile(arguments: argparse.Namespace) -> int:
    """Compare what the journal says with what the venue shows, and say what differs."""
    config = feeds.completed(read.load(Path(arguments.config), options=arguments.settings))
    account = config.tables.account.name
    folder = journal_folder(config.tables, StateDir(account))
    found = asyncio.run(compare(config, folder))
    if not folder.exists():
        print_note(f"{folder.where}: there is no journal yet, so the books are empty")
    verdict = min((each.verdict for each in found.values()), key=_WORST_FIRST.index)
    if not arguments.json:
        lot_sizes = {each.part.name: each.lot_sizes for each in accounts_of(config)}
        for number, (name, each) in enumerate(found.items()):
            print(end="\n" if number else "")
            _print(each, name, folder.where, lot_sizes[name])
    elif len(found) == 1:
        print_json(_plain(found[account], account, folder.where))
    else:
        rows = {name: _plain(each, name, folder.where) for name, each in found.items()}
        print_json({"account": account, "journal": folder.where, "verdict": verdict, "accounts": rows})
    return _CODES[verdict]


def _plain(found: Comparison, account: str, journal: str) -> dict[str, object]:
    return {
        "account": account,
        "journal": journal,
        "verdict": found.verdict,
        "differences": [_row(each) for each in found.findings if each.is_difference],
        "others": [_row(each) for each in found.findings if not each.is_difference],
        "troubles": list(found.troubles),
        "open_orders": found.open_orders,
        "venue_open_orders": found.venue_open_orders,
        "venue_positions_lots": found.positions,
        "venue_balances": {
            each.currency: {"total": each.total, "free": each.free} for each in found.balances
        },
        "compared_balances": sorted(found.compared_balances),
        "venue_time_ns": found.venue_time_ns,
        "fills_since_ns": found.fills_since_ns,
        "rounds": found.rounds,
    }


def _row(finding: Finding) -> dict[str, str]:
    return {"kind": finding.kind.value, "subject": finding.subject, "words": finding.words}


def _print(found: Comparison, account: str, journal: str, lot_sizes: Mapping[str, Decimal]) -> None:
    money = ", ".join(f"{trimmed(each.total):,f} {each.currency}" for each in found.balances)
    print(f"{_VERDICTS[found.verdict]}\n")
    values: dict[str, object] = {"account": account, "journal": journal}
    # A venue that has shown nothing has no orders and no money to be told of, and the books were not read.
    if found.venue_time_ns:
        since = f"since {iso_time(found.fills_since_ns)}" if found.fills_since_ns else "all that it shows"
        values |= {
            "open orders": f"{found.open_orders} in the books, {found.venue_open_orders} at the venue",
            "positions there": held_words(found.positions.items(), lot_sizes),
            "balances there": f"{money or 'none'} ({_compared(found)})",
            "fills compared": since,
        }
    print_values(values)
    _print_list("differences", [each.words for each in found.findings if each.is_difference])
    _print_list("of others, no difference", [each.words for each in found.findings if not each.is_difference])
    _print_list("nothing follows from this", found.troubles)


def _compared(found: Comparison) -> str:
    names = ", ".join(sorted(found.compared_balances))
    return f"compared: {names}" if names else "not compared: no instrument is spot with a base"


def _print_list(title: str, lines: Sequence[str]) -> None:
    """Print what was found, as a terminal may show the words of strangers; nothing for none."""
    if not lines:
        return
    print(f"\n{title}")
    for line in lines[:LINES_MAX]:
        print(f"- {cut(printable(line), _WORDS_MAX)}")
    if len(lines) > LINES_MAX:
        print(f"  and {len(lines) - LINES_MAX} more; --json has all")
