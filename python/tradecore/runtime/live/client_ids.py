"""Names under which a venue knows our orders."""

import hashlib

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


class ClientIds:
    """Makes the names of a journal's orders, and reads them back.

    A name has 18 lower-case letters and digits and begins with a letter, which fits the rule of every venue
    we know: a mark, the epoch of the account, five digits of the journal's first hash, how often the order
    was sent anew, the order's number.

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

    @property
    def head(self) -> str:
        """Return how the names of all orders of the journal begin."""
        return self._head

    def of(self, order_id: int, revision: int = 0) -> str:
        """Return the name of an order that was sent anew so often."""
        if not 0 < order_id <= NUMBER_MAX:
            raise InvalidValueError("order_id", order_id, f"must be from 1 to {NUMBER_MAX}")
        if not 0 <= revision <= REVISION_MAX:
            raise InvalidValueError("revision", revision, f"must be from 0 to {REVISION_MAX}")
        return self._head + _written(revision, _REVISION_DIGITS) + _written(order_id, _NUMBER_DIGITS)

    def order_id(self, name: str | None) -> int | None:
        """Return the number of the order of this name; `None` for one that is not of this journal."""
        rest = self._rest(name)
        return None if rest is None else _read(rest[_REVISION_DIGITS:]) or None

    def revision(self, name: str | None) -> int | None:
        """Return how often the order of this name was sent anew; `None` for one not of this journal."""
        rest = self._rest(name)
        return None if rest is None else _read(rest[:_REVISION_DIGITS])

    def _rest(self, name: str | None) -> str | None:
        """Return revision and number of a name of this journal."""
        if name is None or len(name) != LENGTH or not name.startswith(self._head):
            return None
        rest = name[len(self._head) :]
        return rest if all(digit in _VALUES for digit in rest) else None


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
