"""Where secrets come from: the environment, a file that is private, systemd."""

from tradecore_secrets.environment import EnvironmentSecrets
from tradecore_secrets.file import FileSecrets
from tradecore_secrets.held import HeldSecrets
from tradecore_secrets.private_file import private_bytes
from tradecore_secrets.systemd import SystemdSecrets

__all__ = ["EnvironmentSecrets", "FileSecrets", "HeldSecrets", "SystemdSecrets", "private_bytes"]
