"""Balances in words, for people."""

from collections.abc import Mapping
from decimal import Decimal

from tradecore.engine import CurrencyBalance


def balance_words(balances: Mapping[str, CurrencyBalance], own: str) -> str:
    """Return what an account has of each currency, every digit of it, and what that is worth.

    Nothing where there is one currency: its money is said elsewhere.
    """
    if len(balances) < 2:
        return ""
    return ", ".join(_words(name, held, own) for name, held in balances.items())


def account_words(accounts: Mapping[str, str], own: str) -> str:
    """Return what each venue account is worth; nothing where there is one."""
    return ", ".join(f"{name} {Decimal(equity):,.2f} {own}" for name, equity in accounts.items())


def _words(name: str, held: CurrencyBalance, own: str) -> str:
    amount = f"{Decimal(held.balance):f} {name}"
    if name == own:
        return amount
    if held.worth is None:
        return f"{amount} (no price yet)"
    return f"{amount} ({Decimal(held.worth):,.2f} {own})"
