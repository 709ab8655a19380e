"""What is known of a planted bug: what it breaks, where, and who is to notice."""

import enum
from collections.abc import Callable

import msgspec
import pytest


class Language(enum.Enum):
    """In which language a bug is planted: Python ones are patches, Rust ones are in an extra build."""

    PYTHON = "Python"
    RUST = "Rust"


class Seed(msgspec.Struct, frozen=True):
    """A simulation notices it: this seed first, then others.

    Attributes
    ----------
    first : int
        The seed that showed it last.
    """

    first: int = 1

    @property
    def words(self) -> str:
        """Who it is, for a table."""
        return f"the simulation, first by seed {self.first}"


class Test(msgspec.Struct, frozen=True):
    """A test notices it.

    Attributes
    ----------
    name : str
        As pytest names it: `tests/unit/test_keys.py::test_a_key`.
    """

    # What pytest must not take for a class of tests.
    __test__ = False

    name: str

    @property
    def words(self) -> str:
        """Who it is, for a table."""
        path, _, function = self.name.partition("::")
        return f"`{function or path}`"


Catcher = Seed | Test


class Bug(msgspec.Struct, frozen=True, kw_only=True):
    """A bug that can be planted.

    Attributes
    ----------
    name : str
        Its name: of the function that patches it in, or in the source of Rust.
    promise : str
        The promise that it breaks: `P15`, or a control as `C5`.
    breaks : str
        What goes wrong, in a sentence.
    path : str
        The file that it is in.
    language : Language
        Of that file.
    catcher : Seed or Test
        Who is to notice it.
    """

    name: str
    promise: str
    breaks: str
    path: str
    language: Language
    catcher: Catcher


Patch = Callable[[pytest.MonkeyPatch], None]


class Patches:
    """Bugs of Python: functions that patch what they break, each with what is known of it.

    Attributes
    ----------
    bugs : dict of str to Bug
        The bugs, by their names.
    patches : dict of str to callable
        What plants them, by the same names.
    """

    def __init__(self) -> None:
        self.bugs: dict[str, Bug] = {}
        self.patches: dict[str, Patch] = {}

    def bug(self, promise: str, path: str, catcher: Catcher) -> Callable[[Patch], Patch]:
        """Take in a function that patches a bug in; the first line of its docstring says what that breaks."""

        def take(patch: Patch) -> Patch:
            name = patch.__name__
            self.bugs[name] = Bug(
                name=name,
                promise=promise,
                breaks=(patch.__doc__ or "").splitlines()[0],
                path=path,
                language=Language.PYTHON,
                catcher=catcher,
            )
            self.patches[name] = patch
            return patch

        return take
