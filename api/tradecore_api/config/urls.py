"""What an address of a setting must be, before anything is asked there."""

from collections.abc import Iterator
from urllib.parse import urlsplit

from tradecore.domain import shape
from tradecore_api.config.tables import ConfigTables

_RULE = "must be an address such as http://127.0.0.1:18777"
_OF_REQUESTS, _OF_STREAMS = ("http", "https"), ("ws", "wss")


def url_rule(url: str, schemes: tuple[str, ...] = _OF_REQUESTS) -> str | None:
    """Return what is wrong with an address; `None` when it can be asked for."""
    if not all("!" <= letter <= "~" for letter in url):
        return f"{_RULE}, without spaces and in plain letters"
    try:
        parts = urlsplit(url)
        # Reading the port says whether it is one.
        has_host = bool(parts.hostname) and parts.port != 0
    except ValueError as error:
        return f"{_RULE}: {error}"
    if "@" in parts.netloc:
        return f"{_RULE}, without a name and a password: a store of secrets is the place of those"
    if parts.scheme not in schemes or not has_host:
        return _RULE if schemes is _OF_REQUESTS else "must be an address such as wss://127.0.0.1:18777"
    return None


def check(tables: ConfigTables, report: shape.Report) -> None:
    """Report every address that cannot be one; one with a password in it is not shown."""
    for table_key, table in _with_urls(tables):
        for name, schemes in (("url", _OF_REQUESTS), ("rest_url", _OF_REQUESTS), ("ws_url", _OF_STREAMS)):
            url = getattr(table, name, None)
            if url is not None and (rule := url_rule(url, schemes)) is not None:
                report(f"{table_key}.{name}", None if "@" in url else url, rule)


def _with_urls(tables: ConfigTables) -> Iterator[tuple[str, object]]:
    yield "feed", tables.feed
    yield "history", tables.history
    yield "live", tables.live
    for index, account in enumerate(tables.accounts):
        yield f"accounts.{index}.feed", account.feed
        yield f"accounts.{index}.live", account.live
