"""Whole ticks and lots as exact text, and back."""

from decimal import Decimal, InvalidOperation

from tradecore.domain.errors import InvalidValueError

_DIGITS_MAX = 40
STEPS_MAX = 2**63 - 1


class Steps:
    """Turns counts of a step (a tick size, a lot size) into text and back, without a float.

    Parameters
    ----------
    name : str
        What an error calls the number.
    step : str
        The step.
    """

    def __init__(self, name: str, step: str) -> None:
        self._name = name
        self._step = Decimal(step)

    def text(self, count: int) -> str:
        """Return a count of steps as a decimal."""
        return f"{self._step * count:f}"

    def whole(self, text: str) -> int:
        """Return a decimal as a count of steps.

        Raises
        ------
        InvalidValueError
            When it is no multiple of the step, or no number of 64 bits of steps.
        """
        try:
            if len(text) > _DIGITS_MAX:
                raise InvalidValueError(self._name, text, f"must have at most {_DIGITS_MAX} digits")
            count, rest = divmod(Decimal(text), self._step)
            is_whole = rest == 0 and abs(count) <= STEPS_MAX
        except InvalidOperation:
            is_whole = False
        if not is_whole:
            raise InvalidValueError(self._name, text, f"must be a multiple of {self._step}")
        return int(count)
