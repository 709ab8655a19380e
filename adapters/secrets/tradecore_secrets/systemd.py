"""Secrets that systemd hands to a service."""

import os
from collections.abc import Mapping
from pathlib import Path

from tradecore.domain.errors import ConfigError
from tradecore.domain.secret import Secret, checked_name
from tradecore_secrets.private_file import private_bytes

VARIABLE = "CREDENTIALS_DIRECTORY"
# systemd may let the group in by an access list of its own, and shows that as bits of the group.
_OTHERS = 0o007


class SystemdSecrets:
    """A `SecretStore` of the credentials of a service: `LoadCredential=main_trading:FILE`.

    One line break at the end of a credential is no part of the secret.

    Parameters
    ----------
    environment : mapping of str to str, optional
        Says in `CREDENTIALS_DIRECTORY` where they are; that of the process by default.
    """

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        self._directory = (os.environ if environment is None else environment).get(VARIABLE, "")

    def secret(self, name: str) -> Secret:
        """Return a secret; see the port."""
        checked_name(name)
        path = Path(self._directory, name)
        if not path.is_absolute():
            rule = f"is not set: run as a service of systemd with LoadCredential={name}:FILE"
            raise ConfigError("environment", VARIABLE, self._directory or None, rule)
        found = _text(
            private_bytes(str(path), source=f"systemd, LoadCredential={name}", key=name, others=_OTHERS)
        )
        if found is None or not found.reveal():
            what = "must be UTF-8 text" if found is None else "is empty"
            raise ConfigError("systemd", name, None, f"{what}: write the secret into the file of it")
        return found


def _text(content: bytes) -> Secret | None:
    """Return a secret, `None` for what is no text."""
    try:
        return Secret(content.decode().removesuffix("\n"))
    except UnicodeDecodeError:
        return None
