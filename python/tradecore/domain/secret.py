"""A secret: a text that is used and never shown."""

import hmac
import re
from typing import NoReturn

from tradecore.domain.errors import InvalidValueError

_SHOWN = "***"
_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
_NAME_CHARS_MAX = 64


class Secret:
    """Holds a text that no log, message, traceback or file gets by accident; only `reveal` gives it.

    Parameters
    ----------
    text : str
        The secret.
    """

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """Return the text, for whoever signs or logs in with it."""
        return self._text

    def __repr__(self) -> str:
        return _SHOWN

    def __str__(self) -> str:
        return _SHOWN

    def __format__(self, format_spec: str) -> str:
        return _SHOWN

    def __eq__(self, other: object) -> bool:
        """Compare in a time that says nothing about the texts."""
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self._text.encode(), other._text.encode())

    def __hash__(self) -> int:
        return hash((Secret, self._text))

    def __reduce__(self) -> NoReturn:
        raise TypeError(
            "a secret is not copied to files or to other processes: hand over where it comes from"
        )


def as_secret(kind: type, value: object) -> Secret:
    """Read a secret: the `dec_hook` of msgspec for what holds some. What is wrong is said without the value.

    Raises
    ------
    ValueError
        When it is no text.
    """
    if kind is not Secret or not isinstance(value, str):
        raise ValueError("a secret must be text")
    return Secret(value)


def checked_name(name: str) -> str:
    """Return the name of a secret, as every store can have it: as a variable, a file, a key of a table.

    Raises
    ------
    InvalidValueError
        When it is anything else than words of small letters and digits with one `_` between two of them.
    """
    if len(name) > _NAME_CHARS_MAX or _NAME.fullmatch(name) is None:
        rule = (
            "must be words of small letters and digits with one _ between them, such as main_trading, "
            f"at most {_NAME_CHARS_MAX} characters in all"
        )
        raise InvalidValueError("secret", name, rule)
    return name
