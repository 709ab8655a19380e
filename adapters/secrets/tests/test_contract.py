"""Every store keeps the promises of the port."""

import json

import pytest

from tradecore.domain.secret import Secret
from tradecore.testkit import SecretStoreContract
from tradecore_secrets import EnvironmentSecrets, FileSecrets, HeldSecrets, SystemdSecrets


class TestEnvironmentSecrets(SecretStoreContract):
    """Variables of the environment."""

    @pytest.fixture
    def store_of(self):
        """Return what makes a store."""
        return lambda texts: EnvironmentSecrets(
            {f"TRADECORE_SECRET_{name.upper()}": text for name, text in texts.items()}
        )


class TestFileSecrets(SecretStoreContract):
    """A file of one's own."""

    @pytest.fixture
    def store_of(self, tmp_path):
        """Return what makes a store."""

        def made(texts):
            path = tmp_path / "secrets.json"
            path.touch(mode=0o600)
            path.write_text(json.dumps(dict(texts)))
            return FileSecrets(str(path))

        return made


class TestSystemdSecrets(SecretStoreContract):
    """Credentials of a service."""

    @pytest.fixture
    def store_of(self, tmp_path):
        """Return what makes a store."""

        def made(texts):
            for name, text in texts.items():
                path = tmp_path / name
                path.write_text(text)
                path.chmod(0o400)
            return SystemdSecrets({"CREDENTIALS_DIRECTORY": str(tmp_path)})

        return made


class TestHeldSecrets(SecretStoreContract):
    """A table in memory."""

    @pytest.fixture
    def store_of(self):
        """Return what makes a store."""
        return lambda texts: HeldSecrets({name: Secret(text) for name, text in texts.items()}, "test")
