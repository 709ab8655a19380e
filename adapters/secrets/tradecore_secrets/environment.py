"""Secrets in variables of the environment."""

import os
from collections.abc import MutableMapping

from tradecore.domain.errors import ConfigError
from tradecore.domain.secret import Secret, checked_name

PREFIX = "TRADECORE_SECRET_"


class EnvironmentSecrets:
    """A `SecretStore` of variables: `main_trading` is `TRADECORE_SECRET_MAIN_TRADING`.

    The variables are taken out of the environment as the store is made, and later ones as it is asked, so
    that no process that is started from here gets them. A process needs one such store, made before anything
    else starts processes.

    Parameters
    ----------
    environment : mutable mapping of str to str, optional
        The variables; those of the process by default.
    """

    def __init__(self, environment: MutableMapping[str, str] | None = None) -> None:
        self._variables = os.environ if environment is None else environment
        self._secrets: dict[str, Secret] = {}
        self._absorb()

    def secret(self, name: str) -> Secret:
        """Return a secret; see the port."""
        self._absorb()
        variable = PREFIX + checked_name(name).upper()
        found = self._secrets.get(variable)
        if found is None or not found.reveal():
            what = "is not set" if found is None else "is empty"
            raise ConfigError("environment", variable, None, f"{what}: set it to the secret {name}")
        return found

    def _absorb(self) -> None:
        names = [name for name in self._variables if name.startswith(PREFIX)]
        self._secrets |= {name: Secret(self._variables.pop(name)) for name in names}
