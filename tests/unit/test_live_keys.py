"""The file of keys of a venue: read once, and never shown."""

import json
from typing import get_args

import msgspec
import pytest

from tradecore.domain.errors import ConfigError
from tradecore_api.config.read import PATH_KEYS
from tradecore_api.config.tables import Config, ConfigTables, LiveTable
from tradecore_api.wiring.secrets import key_file, venue_url


def table_of(annotation):
    """Return the table of a section; `None` for a section that is a list, a value or one of several kinds."""
    found = [each for each in (annotation, *get_args(annotation)) if isinstance(each, type)]
    tables = [each for each in found if issubclass(each, msgspec.Struct)]
    return tables[0] if len(tables) == 1 else None


KEYS = {"url": "http://127.0.0.1:1", "accounts": {"demo": {"trade": {"key_id": "k", "secret": "canary"}}}}


def written(tmp_path, content, mode=0o600):
    """Return a configuration and its table, with a file of keys."""
    path = tmp_path / "keys.json"
    path.write_text(content)
    path.chmod(mode)
    live = LiveTable(keys=str(path))
    return Config(tables=ConfigTables(live=live), strategies=(), source="live.toml"), live


def test_a_secret_is_read_and_shown_nowhere(tmp_path):
    """Neither the keys nor a traceback that shows them have it."""
    keys = key_file(*written(tmp_path, json.dumps(KEYS)))
    key = keys.accounts["demo"]["trade"]
    assert (key.key_id, key.secret.reveal()) == ("k", "canary")
    assert "canary" not in repr(keys)


@pytest.mark.parametrize(
    ("content", "mode", "says"),
    [
        (json.dumps(KEYS), 0o640, "can be read or changed by others"),
        ("[]", 0o600, "is no file of keys"),
        (json.dumps(KEYS).replace('"canary"', "7"), 0o600, "is no file of keys"),
    ],
)
def test_a_file_that_will_not_do_is_refused_without_its_content(tmp_path, content, mode, says):
    """Of others, of something else, or with a number for a secret."""
    with pytest.raises(ConfigError, match=says) as caught:
        key_file(*written(tmp_path, content, mode))
    assert "canary" not in str(caught.value)


def test_a_file_of_a_venue_that_is_nowhere_is_refused(tmp_path):
    """Its address is looked at where it is asked for."""
    content = json.dumps(KEYS | {"url": "http://127.0.0.1:99999"})
    with pytest.raises(ConfigError, match="has a `url` that must be an address"):
        venue_url(*written(tmp_path, content))
    assert venue_url(*written(tmp_path, json.dumps(KEYS))) == KEYS["url"]


@pytest.mark.parametrize(
    ("section", "name"),
    [
        (field.name, each.name)
        for field in msgspec.structs.fields(ConfigTables)
        if (table := table_of(field.type)) is not None
        for each in msgspec.structs.fields(table)
        if each.name in {"path", "keys", "latency_file", "trades", "quotes", "funding", "marks"}
    ],
)
def test_a_path_of_a_file_begins_where_the_file_is(section, name):
    """Whatever directory a command is typed in: the file of keys among them."""
    assert f"{section}.{name}" in PATH_KEYS
