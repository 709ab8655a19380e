"""What is read of the configuration in a journal's first record, also of one that another version wrote."""

import msgspec
import pytest

from support.deep import DEEP
from support.sessions import CONFIG
from tradecore.domain.errors import ConfigError
from tradecore.domain.journal import BEHAVIOUR_VERSION
from tradecore.domain.spec import Mode
from tradecore.runtime import session_config
from tradecore.runtime.session_config import (
    check_behaviour,
    is_recorded_live,
    recorded_behaviour,
    recorded_feed_time,
)


def in_mode(mode):
    """Return a configuration in a mode, as it is recorded."""
    engine = msgspec.structs.replace(CONFIG.engine, mode=mode)
    return msgspec.structs.replace(CONFIG, engine=engine).encoded()


@pytest.mark.parametrize("mode", list(Mode))
def test_orders_went_to_a_venue_outside_in_live_mode_alone(mode):
    """Whatever the other modes are called."""
    assert is_recorded_live(in_mode(mode)) == (mode is Mode.LIVE)


@pytest.mark.parametrize("now", list(Mode))
@pytest.mark.parametrize("mode", list(Mode))
def test_live_and_simulated_journals_do_not_go_on_as_each_other(mode, now):
    """The message says that alone and advises nothing that is refused then; else all changes are told."""
    engine = msgspec.structs.replace(CONFIG.engine, mode=now)
    config = msgspec.structs.replace(CONFIG, engine=engine, feed={"kind": "other"})
    with pytest.raises(ConfigError) as raised:
        config.check_same(in_mode(mode), "j")
    is_mixed = (mode is Mode.LIVE) is not (now is Mode.LIVE)
    assert (f"was written in {mode.value} mode" in str(raised.value)) == is_mixed
    assert ("--carry-over" in str(raised.value)) != is_mixed
    assert ("feed.kind" in str(raised.value)) != is_mixed


@pytest.mark.parametrize("recorded", [b"", b"{", b"[]", b"\xff", b"{}", DEEP], ids=len)
def test_what_is_no_configuration_is_of_the_first_version_and_not_live(recorded):
    """A journal of something else than an engine has none."""
    assert is_recorded_live(recorded) is False
    assert recorded_behaviour(recorded) == 1
    assert recorded_feed_time(recorded) is None


def test_a_configuration_names_its_behaviour_and_where_its_feed_began():
    """The version is that of the program which wrote it."""
    later = msgspec.structs.replace(CONFIG, feed_from_ns=7)
    assert recorded_behaviour(CONFIG.encoded()) == BEHAVIOUR_VERSION
    assert (recorded_feed_time(CONFIG.encoded()), recorded_feed_time(later.encoded())) == (None, 7)


@pytest.mark.parametrize("difference", [-1, 0, 1])
def test_an_engine_of_another_behaviour_makes_no_orders_of_a_journal(monkeypatch, difference):
    """An older one as little as a newer one; both versions and the next step are named."""
    version = BEHAVIOUR_VERSION + difference
    monkeypatch.setattr(session_config, "recorded_behaviour", lambda recorded: version)
    if not difference:
        check_behaviour(b"", "j", "Do this")
        return
    with pytest.raises(
        ConfigError, match=f"of version {version}, this program of {BEHAVIOUR_VERSION}"
    ) as raised:
        check_behaviour(b"", "j", "Do this")
    assert raised.value.rule.endswith("Do this")


def test_a_change_is_told_by_its_key_with_both_values():
    """Where the feed begins and which sessions there are is none of the user's settings."""
    assert CONFIG.changes_since(CONFIG.encoded()) == {}
    later = msgspec.structs.replace(CONFIG, feed_from_ns=7)
    assert later.changes_since(CONFIG.encoded()) == {}
    assert CONFIG.changes_since(later.encoded()) == {}
    other = msgspec.structs.replace(CONFIG, feed={"kind": "other"})
    assert other.changes_since(CONFIG.encoded()) == {"feed.kind": "feed.kind was 'test', is 'other'"}
    more = msgspec.structs.replace(CONFIG, feed={"kind": "test", "seed": 3})
    assert more.changes_since(CONFIG.encoded()) == {"feed.seed": "feed.seed was None, is 3"}
    assert CONFIG.changes_since(more.encoded()) == {"feed.seed": "feed.seed was 3, is None"}
