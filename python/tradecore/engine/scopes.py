"""What commands are about, by the names that people use."""

import msgspec

from tradecore.domain import InvalidValueError


class ScopeNames(msgspec.Struct, frozen=True, kw_only=True):
    """The names of an engine's strategies, instruments and accounts, in the order of their numbers."""

    strategies: tuple[str, ...]
    instruments: tuple[str, ...]
    accounts: tuple[str, ...] = ("account",)

    def numbered(self, scope: str) -> tuple[str, int]:
        """Return the kind of a scope and its number.

        Raises
        ------
        InvalidValueError
            When there is no such scope.
        """
        what, _, name = scope.partition(":")
        match what:
            case "account" if not self.has_accounts and scope in ("account", f"account:{self.accounts[0]}"):
                # The only account is all there is, whether its name is said or not.
                return "account", 0
            case "account" if self.has_accounts and scope != "account":
                return what, _place("scope", scope, name, self.accounts)
            case "portfolio" if scope == "portfolio" and self.has_accounts:
                return what, 0
            case "strategy":
                return what, _place("scope", scope, name, self.strategies)
            case "instrument":
                return what, _place("scope", scope, name, self.instruments)
            case _:
                own = "portfolio, account:NAME" if self.has_accounts else "account"
                rule = f"must be {own}, strategy:NAME or instrument:SYMBOL"
                raise InvalidValueError("scope", scope, rule)

    @property
    def has_accounts(self) -> bool:
        """Whether there are several venue accounts."""
        return len(self.accounts) > 1

    def instrument(self, symbol: str) -> int:
        """Return the number of an instrument; raises `InvalidValueError` when there is no such symbol."""
        return _place("instrument", symbol, symbol, self.instruments)

    def named(self, what: str, number: int) -> str:
        """Return the scope of a kind and number."""
        match what:
            case "account" if self.has_accounts:
                return f"{what}:{self.accounts[number]}"
            case "account" | "portfolio":
                return what
            case "strategy":
                return f"{what}:{self.strategies[number]}"
            case _:
                return f"{what}:{self.instruments[number]}"


def _place(field: str, value: str, name: str, known: tuple[str, ...]) -> int:
    if name not in known:
        raise InvalidValueError(field, value, f"there is none of this name; known are {', '.join(known)}")
    return known.index(name)
