"""Secrets that a program has already."""

from collections.abc import Mapping

from tradecore.domain.errors import ConfigError
from tradecore.domain.secret import Secret, checked_name


class HeldSecrets:
    """A `SecretStore` of a table in memory.

    Parameters
    ----------
    secrets : mapping of str to Secret
        What it has, by name.
    source : str
        Where they came from, for messages.
    """

    def __init__(self, secrets: Mapping[str, Secret], source: str) -> None:
        self._secrets = dict(secrets)
        self._source = source

    def secret(self, name: str) -> Secret:
        """Return a secret; see the port."""
        found = self._secrets.get(checked_name(name))
        if found is None or not found.reveal():
            known = ", ".join(sorted(self._secrets)) or "none"
            raise ConfigError(self._source, name, None, f"is no secret that it has, or empty; it has {known}")
        return found
