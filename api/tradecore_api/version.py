"""The version written into journals."""

from importlib.metadata import PackageNotFoundError, version


def _version() -> str:
    try:
        return version("tradecore")
    except PackageNotFoundError:
        return "0.0.0"


VERSION = _version()
