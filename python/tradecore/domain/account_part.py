"""What of an engine belongs to one of its venue accounts."""

import msgspec

from tradecore._core import currency_names
from tradecore.domain.spec import EngineSpec


class AccountPart(msgspec.Struct, frozen=True, kw_only=True):
    """A venue account of an engine, by the engine's own numbers and names.

    Attributes
    ----------
    name : str
        Its name.
    number : int
        Its number, 0 for the first.
    instruments : tuple of int
        Numbers of the instruments that it trades, rising.
    balances : dict
        Names of its balances in the engine, by the venue's own names of the currencies: `USD` is `USD` at the
        first account, and `kraken:USD` at one of the name `kraken`.
    """

    name: str
    number: int
    instruments: tuple[int, ...]
    balances: dict[str, str]

    @property
    def first_instrument(self) -> int:
        """An instrument that stands for the account in a record; 0 where it trades none."""
        return self.instruments[0] if self.instruments else 0


def parts_of(spec: EngineSpec) -> tuple[AccountPart, ...]:
    """Return the venue accounts of an engine, by their numbers; one that has one account is all of it."""
    names = spec.account_names
    known = currency_names(spec)
    marks = tuple(f"{name}:" for name in names[1:])
    return tuple(
        AccountPart(
            name=name,
            number=number,
            instruments=tuple(
                at for at, each in enumerate(spec.instruments) if spec.account_of(each) == name
            ),
            balances={each: each for each in known if not each.startswith(marks)}
            if number == 0
            else {each.removeprefix(f"{name}:"): each for each in known if each.startswith(f"{name}:")},
        )
        for number, name in enumerate(names)
    )
