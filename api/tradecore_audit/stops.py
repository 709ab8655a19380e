"""What operators have stopped, and what waits for a comparison with the venue."""

from tradecore_audit.records import Command, Scope

Place = tuple[int, int, int]
_EVERYWHERE = Scope("portfolio", 0)


class Stops:
    """Kills and pauses by scope. A stop of a scope ends by a word about that very scope.

    Parameters
    ----------
    has_accounts : bool
        Whether the engine has several accounts; with one, what is said of the account is said of everything.
    """

    def __init__(self, *, has_accounts: bool) -> None:
        self._has_accounts = has_accounts
        self.killed: set[Scope] = set()
        self.paused: set[Scope] = set()
        self.unreconciled: set[int] = set()
        # Whether an operator asked for a flatten after the last kill: what closes may leave then.
        self.is_closing = False

    def take(self, command: Command) -> None:
        """Take in a command."""
        scope = command.scope or _EVERYWHERE
        if not self._has_accounts and scope.kind in ("account", "portfolio"):
            scope = _EVERYWHERE
        match command.name:
            case "kill":
                self.killed.add(scope)
                self.is_closing = False
            case "flatten":
                self.is_closing = True
            case "release_kill":
                self.killed.discard(scope)
            case "pause":
                self.paused.add(scope)
            case "resume":
                self.paused.discard(scope)
            case _:
                pass

    def is_killed(self, place: Place) -> bool:
        """Tell whether nothing may be sent at a place: strategy, instrument, account."""
        return bool(self.killed) and any(_is_within(place, scope) for scope in self.killed)

    def is_paused(self, place: Place) -> bool:
        """Tell whether nothing may be sent there that adds risk."""
        return bool(self.paused) and any(_is_within(place, scope) for scope in self.paused)


def _is_within(place: Place, scope: Scope) -> bool:
    strategy, instrument, account = place
    known = {"portfolio": 0, "account": account, "strategy": strategy, "instrument": instrument}
    return known[scope.kind] == scope.number
