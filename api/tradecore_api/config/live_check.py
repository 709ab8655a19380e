"""What a configuration in live mode has to say of each account: its venue, its keys and its instruments."""

from collections.abc import Iterator, Sequence

from tradecore.domain import one_line, shape
from tradecore.strategy.check import check_symbols
from tradecore_api.config import paths
from tradecore_api.config.tables import Config, FileSecretsTable, LiveTable

_MISSING_RULE = f'is missing: mode = "live" sends orders to the venue that it names; {shape.DRY_RUN}'
_CANARY_RULE = (
    "is missing: bound what is traded with money, e.g. instruments = [{symbols}], order_value_max = 100, "
    "orders_a_day_max = 50, position_value_max = 500"
)


def tables_of(config: Config) -> Iterator[tuple[str, str, LiveTable | None]]:
    """Yield the name of each account, the key of its live table, and that table."""
    tables = config.tables
    yield tables.account.name, "live", tables.live
    for index, account in enumerate(tables.accounts):
        yield account.name, f"accounts.{index}.live", account.live


def check(config: Config, report: shape.Report) -> None:
    """Report what is wrong with the live tables of a configuration whose other tables are sound."""
    named: dict[object, str] = {}
    spec = config.engine_spec()
    for name, key, live in tables_of(config):
        symbols = [each.symbol for each in spec.instruments if spec.account_of(each) == name]
        if live is None:
            report(key, None, _MISSING_RULE)
            continue
        if spec.accounts and not symbols:
            report(key, None, f"is of the account {name!r}, which no instrument is traded at")
        _check_keys(key, live, report)
        _check_bounds(config, key, live, report)
        _check_names(config, key, live, symbols, report)
        other = named.setdefault(_account_there(live), name)
        if other != name:
            rule = f"is the account of {other!r} at its venue, too: one account has one name, and one owner"
            report(f"{key}.account", live.account, rule)


def _check_bounds(config: Config, key: str, live: LiveTable, report: shape.Report) -> None:
    """Report a live account for which nobody answers, or that nothing bounds."""
    symbols = [each.symbol for each in config.tables.instruments]
    if live.approval is not None and key != "live":
        report(f"{key}.approval", None, "is a setting of [live] alone: it is for all accounts")
    person = config.person_of(live)
    if person is None:
        report("live.person", None, 'is missing: write who answers for it, e.g. person = "Ada"')
    elif not one_line.is_one_line(person) or person != person.strip():
        report(f"{'live' if live.person is None else key}.person", person, one_line.RULE)
    canary = config.canary_of(live)
    if canary is None:
        report("live.canary", None, _CANARY_RULE.format(symbols=", ".join(f'"{name}"' for name in symbols)))
        return
    own = f"{key}.canary" if live.canary is not None else "live.canary"
    check_symbols(f"{own}.instruments", canary.instruments, symbols, report)
    for host in canary.venues:
        if not one_line.is_one_line(host):
            report(f"{own}.venues", host, one_line.RULE)
    if not canary.instruments:
        report(f"{own}.instruments", [], "must name an instrument: what it does not name is not opened")


def _account_there(live: LiveTable) -> object:
    """Return what is the same for two tables that mean the same account at the same venue."""
    if live.keys is not None:
        return ("keys", live.keys, live.account)
    return (live.url, live.account) if live.secrets is None else (live.url, live.secrets, live.account)


def _check_keys(key: str, live: LiveTable, report: shape.Report) -> None:
    if (live.keys is None) is (live.secrets is None):
        rule = (
            f"name one source of the keys: the file `{key}.keys` of a local venue, or a store [{key}.secrets]"
        )
        report(f"{key}.keys", live.keys, rule)
    if live.secrets is not None and live.url is None:
        report(f"{key}.url", None, "is missing: say where the venue listens; a store of secrets does not")
    if live.keys is not None:
        paths.check_input(f"{key}.keys", live.keys, report)
    if isinstance(live.secrets, FileSecretsTable):
        paths.check_input(f"{key}.secrets.path", live.secrets.path, report)


def _check_names(
    config: Config, key: str, live: LiveTable, symbols: Sequence[str], report: shape.Report
) -> None:
    """Report names of instruments and strategies that the account does not have."""
    for symbol, name in live.assign.items():
        check_symbols(f"{key}.assign", [symbol], symbols, report)
        found = next((each for each in config.strategies if each.name == name), None)
        if found is None:
            known = ", ".join(each.name for each in config.strategies)
            report(f"{key}.assign.{symbol}", name, f"must be the name of a strategy: {known}")
        elif found.instruments and symbol not in found.instruments:
            report(f"{key}.assign.{symbol}", name, f"must trade it: {', '.join(found.instruments)}")
    for symbol in live.symbols:
        check_symbols(f"{key}.symbols", [symbol], symbols, report)
    there = [live.symbols.get(symbol, symbol) for symbol in symbols]
    for symbol in sorted({each for each in there if there.count(each) > 1}):
        report(f"{key}.symbols", symbol, "is the name of two instruments of the account there")
