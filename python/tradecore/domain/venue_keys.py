"""Keys of a venue by what they may be used for, each a type of its own."""

from typing import ClassVar, Self

import msgspec

from tradecore.domain.errors import InvalidValueError
from tradecore.domain.secret import Secret, as_secret, checked_name


class StoredKey(msgspec.Struct, frozen=True, kw_only=True):
    """A key that a store of secrets has; its type says what it is for.

    Attributes
    ----------
    secret : Secret
        What signs.
    """

    use: ClassVar[str] = ""
    secret: Secret

    @classmethod
    def secret_name(cls, account: str) -> str:
        """Return the name under which a store has the key of an account, e.g. `main_trading`.

        Raises
        ------
        InvalidValueError
            When the account's name cannot be part of it.
        """
        return checked_name(f"{account}_{cls.use}")

    @classmethod
    def read(cls, text: Secret) -> Self:
        """Return the key that a secret is.

        Raises
        ------
        InvalidValueError
            When it is none of this kind; it is not shown.
        """
        return cls(secret=text)


class VenueKey(StoredKey, frozen=True, kw_only=True):
    """Name and secret of a key of a venue; the secret is never shown.

    Whoever takes a key states which kind: a function that trades takes a `TradingKey` and nothing else.

    Attributes
    ----------
    key_id : str
        The venue's name of it.
    """

    key_id: str

    @classmethod
    def read(cls, text: Secret) -> Self:
        """Return the key that a secret is, JSON such as `{"key_id": "...", "secret": "..."}`.

        Raises
        ------
        InvalidValueError
            When it is anything else; it is not shown.
        """
        rule = 'must be JSON: {"key_id": "...", "secret": "..."}, both of them texts that are not empty'
        try:
            key = msgspec.json.decode(text.reveal(), type=cls, dec_hook=as_secret)
        except (msgspec.MsgspecError, ValueError, RecursionError):
            # Its message and its traceback may have a part of the secret.
            key = None
        if key is None or not key.key_id or not key.secret.reveal():
            raise InvalidValueError(f"the {cls.use} key", Secret(""), rule)
        if not all("!" <= letter <= "~" for letter in key.key_id):
            # It goes into a header of each request: a line break would begin another one.
            raise InvalidValueError(f"the {cls.use} key", Secret(""), "must have a key_id in plain letters")
        return key


class TradingKey(VenueKey, frozen=True, kw_only=True):
    """May do everything with orders."""

    use: ClassVar[str] = "trading"


class QueryKey(VenueKey, frozen=True, kw_only=True):
    """May only ask: of an auditor, and of whoever compares."""

    use: ClassVar[str] = "query"


class WatchdogKey(VenueKey, frozen=True, kw_only=True):
    """May end orders, and ask: of a watchdog."""

    use: ClassVar[str] = "watchdog"


def required(kind: type[VenueKey], key: object) -> None:
    """Refuse a key of another kind, for those whom no type checker warns.

    Raises
    ------
    InvalidValueError
        Names both kinds.
    """
    if type(key) is not kind:
        raise InvalidValueError("key", type(key).__name__, f"must be a {kind.__name__}: it is for {kind.use}")
