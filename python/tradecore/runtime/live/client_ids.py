"""Names under which a venue knows our orders."""

import hashlib
from bisect import bisect_right
from collections.abc import Sequence

from tradecore.domain.epoch import Epoch
from tradecore.domain.errors import InvalidValueError

# Letters and digits that venues take in any case, none of which looks like another (Crockford's base 32).
_DIGITS = "0123456789abcdefghjkmnpqrstvwxyz"
_VALUES = {digit: value for value, digit in enumerate(_DIGITS)}
_MARK = "t"
_EPOCH_DIGITS, _JOURNAL_DIGITS, _REVISION_DIGITS, _NUMBER_DIGITS = 3, 5, 2, 7
LENGTH = len(_MARK) + _EPOCH_DIGITS + _JOURNAL_DIGITS + _REVISION_DIGITS + _NUMBER_DIGITS
EPOCH_MAX = 32**_EPOCH_DIGITS - 1
REVISION_MAX = 32**_REVISION_DIGITS - 1
NUMBER_MAX = 32**_NUMBER_DIGITS - 1
_JOURNAL_AT = len(_MARK) + _EPOCH_DIGITS
_REVISION_AT = _JOURNAL_AT + _JOURNAL_DIGITS
_NUMBER_AT = _REVISION_AT + _REVISION_DIGITS


class ClientIds:
    """Makes the names of a journal's orders, and reads them back.

    A name has 18 lower-case letters and digits and begins with a letter, which fits the rule of every venue
    we know: a mark, the epoch of the account, five digits of the journal's first hash, how often the order
    was sent anew, the order's number. The epoch is that in which the order got its number: it keeps its name
    for as long as it lives, whoever has taken the account over since.

    Parameters
    ----------
    epochs : int or sequence of Epoch
        Epoch of the account, 0 to 32,767; or all that the journal has had, in their order. What comes before
        the first order of the first one is named by that, too.
    journal : str
        Hash of the journal's first record, hexadecimal.
    """

    def __init__(self, epochs: int | Sequence[Epoch], journal: str) -> None:
        known = (Epoch(epochs, 1),) if isinstance(epochs, int) else tuple(epochs)
        for each in known:
            if not 0 <= each.number <= EPOCH_MAX:
                raise InvalidValueError("epoch", each.number, f"must be from 0 to {EPOCH_MAX}")
        digest = hashlib.sha256(journal.encode()).digest()
        self._journal = _written(int.from_bytes(digest[:4], "big"), _JOURNAL_DIGITS)
        self._firsts = [each.first_order for each in known]
        self._heads = [_MARK + _written(each.number, _EPOCH_DIGITS) + self._journal for each in known]

    @property
    def head(self) -> str:
        """Return how the names of all orders begin that get their number from now on."""
        return self._heads[-1]

    @property
    def heads(self) -> tuple[str, ...]:
        """Return how the names of the orders of each epoch begin."""
        return tuple(self._heads)

    def of(self, order_id: int, revision: int = 0) -> str:
        """Return the name of an order that was sent anew so often."""
        if not 0 < order_id <= NUMBER_MAX:
            raise InvalidValueError("order_id", order_id, f"must be from 1 to {NUMBER_MAX}")
        if not 0 <= revision <= REVISION_MAX:
            raise InvalidValueError("revision", revision, f"must be from 0 to {REVISION_MAX}")
        head = self._head_of(order_id)
        return head + _written(revision, _REVISION_DIGITS) + _written(order_id, _NUMBER_DIGITS)

    def order_id(self, name: str | None) -> int | None:
        """Return the number of the order of this name; `None` for one that is not of this journal.

        Nor is one of another epoch than that in which its number was given here: somebody else has a copy of
        the journal, and gave that number to another order.
        """
        return self._number(name) or None

    def revision(self, name: str | None) -> int | None:
        """Return how often the order of this name was sent anew; `None` for one not of this journal."""
        if name is None or self._number(name) is None:
            return None
        return _read(name[_REVISION_AT:_NUMBER_AT])

    def epoch_and_number(self, name: str | None) -> tuple[int, int] | None:
        """Return the epoch and the order's number of a name of this journal, whatever its epoch.

        `None` for a name of another journal, or of others.
        """
        if name is None or name[_JOURNAL_AT:_REVISION_AT] != self._journal or not is_ours(name):
            return None
        return _read(name[len(_MARK) : _JOURNAL_AT]), _read(name[_NUMBER_AT:])

    def _number(self, name: str | None) -> int | None:
        """Return the number in a name of this journal, and of the epoch of that number."""
        if name is None or name[_JOURNAL_AT:_REVISION_AT] != self._journal or not is_ours(name):
            return None
        number = _read(name[_NUMBER_AT:])
        return number if name.startswith(self._head_of(number)) else None

    def _head_of(self, order_id: int) -> str:
        return self._heads[max(bisect_right(self._firsts, order_id) - 1, 0)]


def is_ours(name: str | None) -> bool:
    """Tell whether a name has the form of ours: of this journal, or of one before, or of another engine."""
    return (
        name is not None and len(name) == LENGTH and name[0] == _MARK and all(c in _VALUES for c in name[1:])
    )


def _written(number: int, digits: int) -> str:
    written = ""
    for _ in range(digits):
        number, rest = divmod(number, 32)
        written = _DIGITS[rest] + written
    return written


def _read(digits: str) -> int:
    number = 0
    for digit in digits:
        number = number * 32 + _VALUES[digit]
    return number
