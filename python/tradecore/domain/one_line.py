"""Names that stand in lines for people: in a status, a log and the list of what waits.

One with a line break or a code of the terminal could put a line of its own there, such as another state.
"""

RULE = "must be one line of printable text: it stands in lines for people"


def is_one_line(name: str) -> bool:
    """Tell whether a name has nothing but letters, signs and spaces that are seen."""
    return name.isprintable()
