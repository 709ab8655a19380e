"""The one check of an `EngineSpec`: what its fields say by themselves, and what they say of each other."""

from collections.abc import Collection

from tradecore.domain import one_line, shape
from tradecore.domain.spec import AccountSpec, EngineSpec, InstrumentSpec, VenueSpec

# What an engine has once, however many venues it trades at.
_OF_FIRST_VENUE = {"latency_file", "latency_digest", "finalize", "day_end_ns"}

ACCOUNT_NAME_RULE = "must be letters, digits, - and _: it names a directory"


def is_account_name(name: str) -> bool:
    """Tell whether an account may have this name."""
    return name.replace("-", "").replace("_", "").isalnum()


def checked_spec(
    spec: EngineSpec, strategies: Collection[str] | None, report: shape.Report
) -> EngineSpec | None:
    """Return a specification with every value of its declared type; `None` when `report` got problems.

    Parameters
    ----------
    spec : EngineSpec
        As a person wrote it in Python, where nothing keeps a field to its type.
    strategies : collection of str or None
        Names of the strategies, which `risk.strategy` may name; `None` when they are not known.
    report : Report
        Called with the path of each key that is wrong, its value and the rule.
    """
    noted = shape.Problems()
    tree = shape.checked_tree(spec, EngineSpec, "", noted)
    if isinstance(tree, dict):
        if tree.get("instruments") == []:
            noted("instruments", None, "is missing: name at least one instrument")
        check_names(tree, strategies, noted)
    for problem in noted.found:
        report(problem.field, problem.value, problem.rule)
    return None if noted.found else shape.made(tree, EngineSpec)


def checked_instrument(spec: InstrumentSpec) -> InstrumentSpec:
    """Return an instrument with every value of its declared type: what reads data asks before an engine does.

    Raises
    ------
    InvalidSpecError
        Names what is wrong: `instrument.tick_size`.
    """
    problems = shape.Problems()
    checked = shape.checked_struct(spec, InstrumentSpec, "instrument", problems)
    problems.raise_any()
    return checked or spec


def check_names(tree: dict[str, object], strategies: Collection[str] | None, report: shape.Report) -> None:
    """Report names that are doubled, or that nothing has.

    `tree` is what `shape.checked` made of a specification, or of a file that has the same tables; what was
    refused there is passed over. Tables of limits are compared with the instruments when there are any: a
    recorded feed may still name its own. Without `strategies` those are not known.
    """
    symbols: list[str] = []
    for index, instrument in shape.rows(tree, "instruments"):
        symbol = instrument.get("symbol")
        if isinstance(symbol, str) and not one_line.is_one_line(symbol):
            report(f"instruments[{index}].symbol", symbol, one_line.RULE)
        if symbol in symbols:
            report(f"instruments[{index}].symbol", symbol, "is listed twice")
        elif isinstance(symbol, str):
            symbols.append(symbol)
    _check_accounts(tree, report)
    risk = _table(tree, "risk")
    for name, limits in _table(risk, "strategy").items():
        if strategies is not None and name not in strategies:
            report(f"risk.strategy.{name}", name, f"is no strategy; {shape.suggestion(name, strategies)}")
        named = limits.get("instruments") if isinstance(limits, dict) else None
        for symbol in named if isinstance(named, list) and symbols else ():
            check_symbol(f"risk.strategy.{name}.instruments", symbol, symbols, report)
    for symbol in _table(risk, "instrument") if symbols else ():
        check_symbol(f"risk.instrument.{symbol}", symbol, symbols, report)
    account = _table(tree, "account").get("name")
    if isinstance(account, str) and account and not is_account_name(account):
        report("account.name", account, ACCOUNT_NAME_RULE)


def _check_accounts(tree: dict[str, object], report: shape.Report) -> None:
    """Report accounts that are named twice or by nobody, and settings that they do not have."""
    names = [_table(tree, "account").get("name", AccountSpec().name)]
    for index, account in shape.rows(tree, "accounts"):
        key, name = f"accounts[{index}]", account.get("name")
        if name in names:
            report(f"{key}.name", name, "is the name of another account")
        elif isinstance(name, str) and name and not is_account_name(name):
            report(f"{key}.name", name, "must be letters, digits, - and _")
        names.append(name)
        venue = _table(account, "venue")
        for setting in _OF_FIRST_VENUE & venue.keys():
            if shape.is_good(venue[setting]) and venue[setting] != getattr(VenueSpec(), setting):
                report(f"{key}.venue.{setting}", venue[setting], "is a setting of [venue] alone")
    if len(names) == 1 and isinstance(_table(tree, "risk").get("portfolio"), dict):
        rule = "is for several accounts: this engine has one, and its limits are [risk.account]"
        report("risk.portfolio", None, rule)
    for index, instrument in shape.rows(tree, "instruments"):
        name = instrument.get("account")
        if isinstance(name, str) and name not in names:
            known = [known for known in names if isinstance(known, str)]
            report(f"instruments[{index}].account", name, f"is no account; {shape.suggestion(name, known)}")


def check_symbol(key: str, symbol: object, symbols: Collection[str], report: shape.Report) -> None:
    """Report a symbol that no instrument has."""
    if isinstance(symbol, str) and symbol not in symbols:
        report(key, symbol, f"is not in [[instruments]]; {shape.suggestion(symbol, symbols)}")


def _table(tree: dict[str, object], name: str) -> dict[str, object]:
    table = tree.get(name)
    return table if isinstance(table, dict) else {}
