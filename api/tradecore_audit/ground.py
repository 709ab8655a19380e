"""What all rules of an audit stand on: settings, books, orders, limits, and where findings go."""

from tradecore_audit.books import Books
from tradecore_audit.findings import Findings
from tradecore_audit.limits import Limits
from tradecore_audit.orders import AuditedOrder, Orders
from tradecore_audit.settings import Instrument, Settings
from tradecore_audit.stops import Place, Stops
from tradecore_audit.told import Told


class Ground:
    """What has been worked out so far, from the first session of a journal on.

    Attributes
    ----------
    findings : Findings
        What was found, and what was looked at.
    settings : Settings
        Those of the last session.
    books, orders, stops, limits, told
        Positions and money, orders, what operators have stopped, limits, and what a venue outside told.
    numbers : dict
        Numbers of balances by their names.
    """

    def __init__(self, findings: Findings, settings: Settings) -> None:
        self.findings = findings
        self.settings = settings
        self.books = Books(settings)
        self.orders = Orders()
        self.stops = Stops(has_accounts=settings.has_accounts)
        self.limits = Limits(settings, self.books, self.orders)
        self.told = Told(findings)
        self.numbers = {name: number for number, name in enumerate(settings.currencies)}

    def check(self, rule: str, seq: int | None, is_kept: bool, words: str) -> None:
        """Count a test of a rule, and note where it is broken."""
        self.findings.check(rule, seq, None if is_kept else words)

    def fail(self, rule: str, seq: int | None, words: str) -> None:
        """Note that a rule is broken."""
        self.findings.check(rule, seq, words)

    def instrument(self, number: int) -> Instrument:
        """Return an instrument; raises `IndexError` where there is none of this number."""
        self.check_place(0, number)
        return self.settings.instruments[number]

    def check_place(self, strategy: int, instrument: int) -> None:
        """Raise `IndexError` where there is no such strategy or instrument."""
        if not 0 <= strategy < len(self.settings.strategies):
            raise IndexError(f"strategy {strategy}")
        if not 0 <= instrument < len(self.settings.instruments):
            raise IndexError(f"instrument {instrument}")

    def account(self, order: AuditedOrder) -> int:
        """Return the number of the account that an order is of."""
        return self.instrument(order.terms.instrument).account

    def place(self, order: AuditedOrder) -> Place:
        """Return strategy, instrument and account of an order."""
        return (*order.place, self.account(order))

    def known(self, seq: int, number: int, what: str) -> AuditedOrder | None:
        """Return an order, and note it where nobody approved one of this number."""
        order = self.orders.find(number)
        if order is None:
            self.fail("unapproved", seq, f"{what} of order {number}, which was not approved")
        return order

    def named(self, place: tuple[int, int]) -> str:
        """Return a position in words."""
        return f"{self.settings.strategies[place[0]]} in {self.instrument(place[1]).symbol}"
