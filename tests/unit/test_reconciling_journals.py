"""Which journal a comparison with a venue takes: one of a live run, or none yet."""

import msgspec
import pytest

from support.sessions import CONFIG
from tradecore.domain.errors import ConfigError
from tradecore.domain.journal import JournalFolder
from tradecore.domain.spec import Mode
from tradecore_api.wiring import reconciling

LIVE = msgspec.structs.replace(CONFIG, engine=msgspec.structs.replace(CONFIG.engine, mode=Mode.LIVE))


@pytest.fixture
def recorded(tmp_path, monkeypatch):
    """Return what reads the configuration of a journal whose first record names this one."""
    folder = JournalFolder(tmp_path / "a.journal")

    def of(config, *, is_there=True):
        if is_there:
            (tmp_path / "a.journal").write_bytes(b"some")
        monkeypatch.setattr(reconciling, "recorded_config", lambda folder: config)
        return reconciling._recorded(folder)

    return of


def test_a_journal_that_is_not_there_or_empty_has_no_configuration(recorded):
    """The books are empty then."""
    assert recorded(LIVE.encoded(), is_there=False) is None
    assert recorded(b"") is None


def test_the_configuration_of_a_live_run_is_that_of_its_journal(recorded):
    """As it was recorded."""
    assert recorded(LIVE.encoded()) == LIVE


@pytest.mark.parametrize("mode", [mode for mode in Mode if mode is not Mode.LIVE])
def test_a_journal_of_another_mode_has_no_orders_at_a_venue(recorded, mode):
    """It is refused by its mode."""
    other = msgspec.structs.replace(CONFIG, engine=msgspec.structs.replace(CONFIG.engine, mode=mode))
    with pytest.raises(ConfigError, match="its orders never left") as raised:
        recorded(other.encoded())
    assert (raised.value.key, raised.value.value) == ("mode", mode.value)


def test_a_configuration_that_another_version_wrote_is_told_so(recorded):
    """With the version that can read it."""
    with pytest.raises(ConfigError, match="use the version that wrote it"):
        recorded(b"{}")
