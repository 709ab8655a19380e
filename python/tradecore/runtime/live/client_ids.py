"""Names under which a venue knows our orders."""

import hashlib

from tradecore.domain.errors import InvalidValueError

# Letters and digits that venues take in any case, none of which looks like another (Crockford's base 32).
_DIGITS = "0123456789abcdefghjkmnpqrstvwxyz"
_VALUES = {digit: value for value, digit in enumerate(_DIGITS)}
_MARK = "t"
_EPOCH_DIGITS, _JOURNAL_DIGITS, _NUMBER_DIGITS = 3, 5, 9
LENGTH = len(_MARK) + _EPOCH_DIGITS + _JOURNAL_DIGITS + _NUMBER_DIGITS
EPOCH_MAX = 32**_EPOCH_DIGITS - 1
NUMBER_MAX = 32**_NUMBER_DIGITS - 1


class ClientIds:
    """Makes the names of a journal's orders, and reads them back.

    A name has 18 lower-case letters and digits and begins with a letter, which fits the rule of every venue
    we know: a mark, the epoch of the account, five digits of the journal's first hash, the order's number.

    Parameters
    ----------
    epoch : int
        How many times the account began anew, 0 to 32,767.
    journal : str
        Hash of the journal's first record, hexadecimal.
    """

    def __init__(self, epoch: int, journal: str) -> None:
        if not 0 <= epoch <= EPOCH_MAX:
            raise InvalidValueError("epoch", epoch, f"must be from 0 to {EPOCH_MAX}")
        digest = hashlib.sha256(journal.encode()).digest()
        self._head = (
            _MARK
            + _written(epoch, _EPOCH_DIGITS)
            + _written(int.from_bytes(digest[:4], "big"), _JOURNAL_DIGITS)
        )

    def of(self, order_id: int) -> str:
        """Return the name of an order."""
        if not 0 < order_id <= NUMBER_MAX:
            raise InvalidValueError("order_id", order_id, f"must be from 1 to {NUMBER_MAX}")
        return self._head + _written(order_id, _NUMBER_DIGITS)

    def order_id(self, name: str | None) -> int | None:
        """Return the number of the order of this name; `None` for one that is not of this journal."""
        if name is None or len(name) != LENGTH or not name.startswith(self._head):
            return None
        number = 0
        for digit in name[len(self._head) :]:
            value = _VALUES.get(digit)
            if value is None:
                return None
            number = number * 32 + value
        return number or None


def is_ours(name: str | None) -> bool:
    """Tell whether a name has the form of ours: of this journal, or of one before."""
    return (
        name is not None and len(name) == LENGTH and name[0] == _MARK and all(c in _VALUES for c in name[1:])
    )


def _written(number: int, digits: int) -> str:
    written = ""
    for _ in range(digits):
        number, rest = divmod(number, 32)
        written = _DIGITS[rest] + written
    return written
