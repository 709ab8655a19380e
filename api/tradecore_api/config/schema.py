"""The JSON schema of a configuration file, for editors."""

import msgspec

from tradecore_api.config.tables import ConfigTables


def schema() -> dict[str, object]:
    """Return the JSON schema (draft 2020-12) of the TOML file."""
    (root,), components = msgspec.json.schema_components([ConfigTables], ref_template="#/$defs/{name}")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "tradecore configuration",
        **root,
        "$defs": components,
    }
