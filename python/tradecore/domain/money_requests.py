"""What an operator tells an engine about the money of its account: it came or went, and no order moved it."""

from decimal import Decimal, InvalidOperation

from tradecore.domain.commands import Plain
from tradecore.domain.errors import InvalidValueError
from tradecore.domain.opening import Adjustment, Conversion, Transfer


class MoneyRequest(Plain, frozen=True, kw_only=True):
    """Money that came to a balance, or went when the amount is negative.

    Attributes
    ----------
    currency : str
        Name of the balance: `USD`, or `kraken:USD` of another account than the first.
    amount : str
        A decimal number.
    reason : str
        Why, in a line.
    person : str
        Who answers for it; the record has the name beside the reason.
    """

    currency: str
    amount: str
    reason: str
    person: str

    def done(self) -> str:
        """Say what has been done, to who gave it."""
        return f"{self.amount} {self.currency} is booked"

    def _said(self) -> tuple[str, Decimal, str]:
        if not self.person.strip():
            raise InvalidValueError("person", self.person, "must name who answers for it")
        amount = _amount("amount", self.amount)
        return self.currency, amount, f"{self.reason} (by {self.person})" if self.reason.strip() else ""


class TransferMoney(MoneyRequest, frozen=True, kw_only=True, tag="transfer"):
    """The owner brought money, or took it: no profit and no loss."""

    def change(self) -> Transfer:
        """Return the change of the account; raises `InvalidValueError` when it makes no sense."""
        currency, amount, reason = self._said()
        return Transfer(currency=currency, amount=amount, reason=reason)


class AdjustMoney(MoneyRequest, frozen=True, kw_only=True, tag="adjust"):
    """The venue gave or took money for no position, or the books were wrong: a profit or a loss."""

    def change(self) -> Adjustment:
        """Return the change of the account; raises `InvalidValueError` when it makes no sense."""
        currency, amount, reason = self._said()
        return Adjustment(currency=currency, amount=amount, reason=reason)


class ConvertMoney(MoneyRequest, frozen=True, kw_only=True, tag="convert"):
    """Cash was changed from one currency into another: no profit; a rate worse than the prices is a loss.

    Attributes
    ----------
    into : str
        Name of the balance that it was changed into.
    received : str
        What came there, fees taken off: a decimal number.
    """

    into: str
    received: str

    def done(self) -> str:
        """Say what has been done, to who gave it."""
        return f"{self.amount} {self.currency} is booked as {self.received} {self.into}"

    def change(self) -> Conversion:
        """Return the change of the account; raises `InvalidValueError` when it makes no sense."""
        currency, amount, reason = self._said()
        received = _amount("received", self.received)
        return Conversion(currency=currency, amount=amount, into=self.into, received=received, reason=reason)


# What can be told of money.
Money = TransferMoney | AdjustMoney | ConvertMoney


def _amount(field: str, text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        raise InvalidValueError(field, text, "must be a decimal number, e.g. -12.5") from None
