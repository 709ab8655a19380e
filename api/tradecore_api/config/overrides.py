"""Settings given outside the file: environment variables, then `--set`."""

import tomllib
from collections.abc import Iterable, Mapping
from decimal import Decimal

from tradecore.domain.errors import ConfigError

ENVIRONMENT_PREFIX = "TRADECORE_"
SECRET_PREFIX = f"{ENVIRONMENT_PREFIX}SECRET_"
SEPARATOR = "__"
TOP_LEVEL_KEYS = ("mode",)
INDEX_DIGITS_MAX = 9

Override = tuple[str, object, str]


def from_environment(environment: Mapping[str, str]) -> list[Override]:
    """Return (key, value, source) of every `TRADECORE_SECTION__KEY`, sorted by name.

    `TRADECORE_MODE` sets the one key that is in no section. Names without `__` are not settings, and no
    `TRADECORE_SECRET_...` is: what is in it is not to be told in a message about a setting.
    """
    overrides: list[Override] = []
    for name in sorted(environment):
        if not name.startswith(ENVIRONMENT_PREFIX) or name.startswith(SECRET_PREFIX):
            continue
        rest = name.removeprefix(ENVIRONMENT_PREFIX).lower()
        if SEPARATOR in rest or rest in TOP_LEVEL_KEYS:
            key = rest.replace(SEPARATOR, ".")
            overrides.append((key, typed(environment[name]), f"environment variable {name}"))
    return overrides


def from_options(options: Iterable[str]) -> list[Override]:
    """Return (key, value, source) of every `--set section.key=value`.

    Raises
    ------
    ConfigError
        When an option is not of that form.
    """
    overrides: list[Override] = []
    for option in options:
        key, equals, text = option.partition("=")
        if not equals or not key.strip():
            raise ConfigError("--set", key, None, "write --set section.key=value")
        overrides.append((key.strip(), typed(text.strip()), f"--set {key.strip()}"))
    return overrides


def typed(text: str) -> object:
    """Read a value as TOML does; what is no TOML value is text, so a path needs no quotes."""
    try:
        return tomllib.loads(f"value = {text}", parse_float=Decimal)["value"]
    except (ValueError, RecursionError):
        return text


def apply(tree: dict[str, object], key: str, value: object, source: str) -> None:
    """Set a dotted key in nested tables; a number is an index of a list, its length appends.

    Raises
    ------
    ConfigError
        When the path leads through something that is no table, or past the end of a list.
    """
    parts = key.split(".")
    node: object = tree
    for depth, part in enumerate(parts):
        is_last = depth == len(parts) - 1
        if isinstance(node, dict):
            if is_last:
                node[part] = value
            else:
                node = node.setdefault(part, [] if _is_index(parts[depth + 1]) else {})
        elif isinstance(node, list):
            node = _in_list(node, part, value, key, source, is_last=is_last)
        else:
            raise ConfigError(source, key, value, f"{'.'.join(parts[:depth])} is a value, not a table")


def _is_index(part: str) -> bool:
    return part.isascii() and part.isdigit() and len(part) <= INDEX_DIGITS_MAX


def _in_list(node: list[object], part: str, value: object, key: str, source: str, *, is_last: bool) -> object:
    if not _is_index(part) or int(part) > len(node):
        raise ConfigError(source, key, value, f"index {part!r}: write a number from 0 to {len(node)}")
    index = int(part)
    if index == len(node):
        node.append(value if is_last else {})
    elif is_last:
        node[index] = value
    return node[index]
