"""The version that the command tells: that of the package, or that it was not installed."""

from importlib import metadata

import pytest

from tradecore_api import version


def test_the_version_is_that_of_the_package():
    """What pip shows."""
    assert metadata.version("tradecore") == version.VERSION


@pytest.mark.parametrize("is_installed", [True, False])
def test_a_package_that_is_not_installed_has_a_version_that_says_so(monkeypatch, is_installed):
    """As from a checkout without an install."""

    def of(name):
        assert name == "tradecore"
        if not is_installed:
            raise metadata.PackageNotFoundError
        return "1.2.3"

    monkeypatch.setattr(version, "version", of)

    assert version._version() == ("1.2.3" if is_installed else "0.0.0")
