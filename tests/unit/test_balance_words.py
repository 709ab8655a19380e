"""Balances in words: every digit of an amount, and what it is worth."""

from tradecore.engine import CurrencyBalance
from tradecore_api.balance_words import balance_words


def held(balance, worth):
    """Return a balance that is worth so much."""
    return CurrencyBalance(balance=balance, realised="0", fees="0", price=None, worth=worth)


def test_each_currency_is_said_with_its_worth():
    """Dust too; a currency without a price says so."""
    told = {"USD": held("5.5", "5.5"), "BTC": held("0.00000001", "1234.5678"), "BNB": held("2", None)}
    assert balance_words(told, "USD") == "5.5 USD, 0.00000001 BTC (1,234.57 USD), 2 BNB (no price yet)"


def test_one_currency_needs_no_words():
    """Its money is said elsewhere."""
    assert balance_words({"USD": held("5.5", "5.5")}, "USD") == ""
