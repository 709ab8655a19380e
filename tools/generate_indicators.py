"""Write the Python files that are made from the table of indicators, or say with `--check` which are stale.

The table is `rust/indicators/src/table.rs`; the native module shows it as `indicator_table()`.
"""

import argparse
import subprocess
import sys
from pathlib import Path

import msgspec

from tradecore._core import indicator_table

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "python" / "tradecore"
GENERATED = "Written by `make generate` from rust/indicators/src/table.rs; not to be changed by hand."
STUBS_HEAD = f'''\
"""Types of the native indicators, which `tradecore._core` holds; there is no module of this name.

{GENERATED}
"""

from typing import Literal, Self, TypeAlias, final

import numpy as np
import numpy.typing as npt

_Floats: TypeAlias = npt.NDArray[np.float64]
_ThreeFloats: TypeAlias = tuple[_Floats, _Floats, _Floats]

def indicator_table() -> list[tuple[object, ...]]: ...
'''
NAMES_HEAD = f'''\
"""Technical indicators, over whole arrays or fed bar by bar; both give the same float in every bit.

Functions take and return one-dimensional float64 arrays. Classes take one value (or high, low and close
of one bar) per `update`.

Values are NaN until warm, as in TA-Lib. A NaN, infinite or absurdly large input (beyond 1e100) is
skipped: NaN comes out for it, and later values are as if it had never come.

{GENERATED}
"""

'''
METHODS_HEAD = f'''\
"""What makes indicators for a strategy: a method for each of them.

{GENERATED}
"""

from typing import Literal

from tradecore._core import Indicator


class IndicatorMethods:
    """Methods that make an indicator, in `on_start`: later it would start anew, without the bars before.

    `bars` says of which of the strategy's bars, else of the first. Each raises `InvalidValueError` for an
    argument out of its bounds, and outside of `on_start`.
    """

    __slots__ = ()

    def _indicator(
        self, name: str, instrument_id: int | None, bars: str | None, **parameters: object
    ) -> Indicator:
        """Make an indicator of a name with its parameters."""
        raise NotImplementedError

'''
TYPES = {"period": "int", "width": "float", "seed": 'Literal["sma", "first"]'}


class Parameter(msgspec.Struct, array_like=True):
    """A parameter of an indicator."""

    name: str
    kind: str
    default: str | None
    about: str
    is_keyword: bool

    @property
    def declared(self) -> str:
        """The parameter as a signature has it."""
        default = "" if self.default is None else f" = {self.default}"
        return f"{self.name}: {TYPES[self.kind]}{default}"


class Row(msgspec.Struct, array_like=True):
    """An indicator."""

    name: str
    class_name: str
    about: str
    inputs: list[str]
    outputs: list[str]
    parameters: list[Parameter]

    @property
    def positional(self) -> list[str]:
        """Parameters that go by position."""
        return [one.declared for one in self.parameters if not one.is_keyword]

    @property
    def keywords(self) -> list[str]:
        """Parameters that go by keyword alone."""
        return [one.declared for one in self.parameters if one.is_keyword]

    @property
    def reads_bars(self) -> bool:
        """Whether it is fed more than the close of a bar."""
        return self.inputs != ["close"]


def stubs(rows: list[Row]) -> str:
    """Return the types of the native functions and classes."""
    parts = [STUBS_HEAD]
    for row in rows:
        floats = "_Floats" if len(row.outputs) == 1 else "_ThreeFloats"
        inputs = [f"{name}: _Floats" for name in (row.inputs if row.reads_bars else ["values"])]
        arguments = [*inputs, *row.positional, "*", *row.keywords, f"out: {floats} | None = None"]
        parts.append(f"def {row.name}({', '.join(arguments)}) -> {floats}: ...")
    for row in rows:
        inputs = [f"{name}: float" for name in (row.inputs if row.reads_bars else ["value"])]
        given = "float" if len(row.outputs) == 1 else "tuple[float, float, float]"
        shows = "value" if len(row.outputs) == 1 else "values"
        keywords = ["*", *row.keywords] if row.keywords else []
        parts.append(
            f"@final\nclass {row.class_name}:\n"
            f"    def __new__({', '.join(['cls', *row.positional, *keywords])}) -> Self: ...\n"
            f"    def update({', '.join(['self', *inputs])}) -> {given}: ...\n"
            f"    def feed({', '.join(['self', *inputs])}) -> None: ...\n"
            f"    @property\n    def {shows}(self) -> {given}: ...\n"
            "    @property\n    def is_warm(self) -> bool: ...\n"
            "    @property\n    def warm_up_bars(self) -> int: ...\n"
        )
    return "\n".join(parts)


def names(rows: list[Row]) -> str:
    """Return the public module of indicators."""
    all_names = sorted(name for row in rows for name in (row.name, row.class_name))
    listed = "".join(f"    {name},\n" for name in all_names)
    quoted = "".join(f'    "{name}",\n' for name in all_names)
    return f"{NAMES_HEAD}from tradecore._core import (\n{listed})\n\n__all__ = [\n{quoted}]\n"


def methods(rows: list[Row]) -> str:
    """Return the methods of a context that make indicators."""
    parts = [METHODS_HEAD]
    for row in rows:
        arguments = [
            "self",
            *row.positional,
            "instrument_id: int | None = None",
            "*",
            *row.keywords,
            "bars: str | None = None",
        ]
        given = [f"{one.name}={one.name}" for one in row.parameters]
        reads = "Fed high, low and close of bars." if row.reads_bars else "Fed the close of bars."
        shown = f" Values are ({', '.join(row.outputs)})." if len(row.outputs) > 1 else ""
        parts.append(
            f"    def {row.name}({', '.join(arguments)}) -> Indicator:\n"
            f'        """{row.about}.\n\n        {reads}{shown}\n        """\n'
            f'        return self._indicator("{row.name}", instrument_id, bars, {", ".join(given)})\n'
        )
    return "\n".join(parts)


def written() -> dict[Path, str]:
    """Return what each file must hold."""
    rows = msgspec.convert(indicator_table(), list[Row])
    files = {
        PACKAGE / "_core_indicators.pyi": stubs(rows),
        PACKAGE / "strategy" / "indicators.py": names(rows),
        PACKAGE / "engine" / "indicator_methods.py": methods(rows),
    }
    return {path: _formatted(path, text) for path, text in files.items()}


def out_of_date() -> dict[Path, str]:
    """Return the files that do not hold what they must, with what they must."""
    return {
        path: text
        for path, text in written().items()
        if not path.exists() or path.read_text(encoding="utf-8") != text
    }


def _formatted(path: Path, text: str) -> str:
    ruff = Path(sys.executable).with_name("ruff")
    command = [str(ruff), "format", "--quiet", "--stdin-filename", str(path), "-"]
    return subprocess.run(command, cwd=ROOT, input=text, stdout=subprocess.PIPE, text=True, check=True).stdout


def main() -> int:
    """Write the files, or name those that are out of date."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail when a file is out of date")
    stale = out_of_date()
    if parser.parse_args().check:
        for path in stale:
            print(f"{path.relative_to(ROOT)} is out of date: run `make generate`")
        return 1 if stale else 0
    for path, text in stale.items():
        path.write_text(text, encoding="utf-8")
        print(f"wrote {path.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
