"""Secrets in a file that only its owner can read."""

import msgspec

from tradecore.domain.errors import ConfigError
from tradecore.domain.secret import Secret, checked_name
from tradecore_secrets.private_file import private_bytes


class FileSecrets:
    """A `SecretStore` of a JSON file of mode 0600: `{"main_trading": {"key_id": ..., "secret": ...}}`.

    A value is a text, or a table, which is given as JSON. The file is read anew for each secret.

    Parameters
    ----------
    path : str
        The file. It is the user's own or root's, and no symbolic link.
    source, key : str
        Where the path came from, for messages.
    """

    def __init__(self, path: str, *, source: str = "secrets", key: str = "path") -> None:
        self._path = path
        self._source = source
        self._key = key

    def secret(self, name: str) -> Secret:
        """Return a secret; see the port."""
        checked_name(name)
        table = _table(private_bytes(self._path, source=self._source, key=self._key))
        if table is None:
            rule = "is no file of secrets: a JSON table of texts, or of tables, by their names"
            raise ConfigError(self._source, self._key, self._path, rule)
        found = table.get(name)
        if found is None or not found.reveal():
            known = ", ".join(sorted(table)) or "none"
            raise ConfigError(self._path, name, None, f"is missing or empty; the file has {known}")
        return found


def _table(content: bytes) -> dict[str, Secret] | None:
    """Return the secrets of a file, `None` for what is no table of them.

    What a decoder raises ends here: its message and its traceback may have a part of a secret.
    """
    try:
        table = msgspec.json.decode(content, type=dict[str, msgspec.Raw])
        return {name: Secret(_text(value)) for name, value in table.items()}
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None


def _text(value: msgspec.Raw) -> str:
    """Return a text as it is, and a table as JSON; anything else is an error."""
    encoded = bytes(value)
    if not encoded.startswith(b"{"):
        return msgspec.json.decode(encoded, type=str)
    return encoded.decode()
