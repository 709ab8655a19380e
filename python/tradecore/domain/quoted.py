"""How a message quotes what it did not make: values of users, and exceptions of other people's code.

Both are made by code that may fail, both may be very long, and both may hold what no terminal, file or JSON
can. A message about a fault must not become a second fault.
"""

VALUE_MAX = 300
TEXT_MAX = 2_000


def quoted(value: object) -> str:
    """Return a value as Python writes it, cut where it is long; its kind alone when it cannot be written."""
    try:
        text = repr(value)
    except BaseException as error:  # noqa: BLE001 - code of a user, which may end programs too; whole numbers of 5,000 digits raise, too
        return f"<a {type(value).__name__} that cannot be shown: {type(error).__name__}>"
    return cut(printable(text), VALUE_MAX)


def error_text(error: BaseException) -> str:
    """Return the name of an exception and what it says, in one line.

    A text that cannot be made is named as such. Line breaks become spaces: what an exception says must not
    look like lines of ours.
    """
    kind = cut(printable(type(error).__name__), VALUE_MAX)
    try:
        text = str(error)
    except BaseException as failure:  # noqa: BLE001 - code of a user, which may end programs too
        return f"{kind} (its text cannot be made: {type(failure).__name__})"
    said = cut(printable(" ".join(text.split())), TEXT_MAX)
    return f"{kind}: {said}" if said else kind


def notes_of(error: BaseException) -> list[str]:
    """Return what was noted beside an exception; notes that are no text, or cannot be had, are left out."""
    try:
        notes = getattr(error, "__notes__", ())
    except BaseException:  # noqa: BLE001 - code of a user, which may end programs too
        return []
    return [printable(note) for note in notes if isinstance(note, str)] if isinstance(notes, list) else []


def printable(text: str) -> str:
    """Return a text with what no terminal should get, or UTF-8 cannot hold, as escapes."""
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() or each == "\n" else _escaped(each) for each in text)


def cut(text: str, characters_max: int) -> str:
    """Return a text of at most this many characters; an ellipsis stands for what was cut."""
    return text if len(text) <= characters_max else f"{text[: characters_max - 1]}…"


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")
