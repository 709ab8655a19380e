"""Where a running engine keeps its small files: one directory per account, for its owner alone."""

import os
import sys
from pathlib import Path

from tradecore.domain.errors import ConfigError, StorageError
from tradecore.domain.spec_check import ACCOUNT_NAME_RULE, is_account_name

ENVIRONMENT_NAME = "TRADECORE_STATE_DIR"


def root() -> Path:
    """Return the directory of all accounts: `TRADECORE_STATE_DIR`, or the platform's own place."""
    named = os.environ.get(ENVIRONMENT_NAME)
    if named:
        return Path(named).expanduser().absolute()
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", Path.home())) / "tradecore" / "state"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "tradecore"
    return Path(os.environ.get("XDG_STATE_HOME", Path.home() / ".local" / "state")) / "tradecore"


class StateDir:
    """The files of one account.

    Parameters
    ----------
    account : str
        Name of the account; it names the directory.

    Raises
    ------
    ConfigError
        When the name could not be that of a directory.
    """

    def __init__(self, account: str) -> None:
        if not is_account_name(account):
            raise ConfigError("account", "name", account, ACCOUNT_NAME_RULE)
        self.account = account
        self.path = root() / account
        self.lock = self.path / "engine.lock"
        self.heartbeat = self.path / "heartbeat.json"
        self.address = self.path / "control.json"
        self.kill_latch = self.path / "kill.latch"
        self.kill_release = self.path / "kill.release"
        self.journal = self.path / "engine.journal"
        self.database = self.path / "readmodel.sqlite"
        self.last_words = self.path / "last_words.json"
        self.failed_start = self.path / "failed_start.json"

    def create(self) -> None:
        """Make the directory, readable by its owner alone.

        Raises `StorageError` when that is not possible.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
            if sys.platform != "win32":
                self.path.chmod(0o700)
        except OSError as error:
            what = f"cannot be made: {error.strerror}; set {ENVIRONMENT_NAME} to a directory you may write to"
            raise StorageError(str(self.path), what) from error


def accounts() -> list[str]:
    """Return the names of all accounts that have a directory, sorted."""
    try:
        return sorted(entry.name for entry in root().iterdir() if entry.is_dir())
    except FileNotFoundError:
        return []
    except OSError as error:
        raise StorageError(str(root()), f"cannot be read: {error.strerror}") from error


def unknown_words(account: str) -> str:
    """Return what to say of a name that was never seen here; nothing of one that was."""
    if StateDir(account).path.exists():
        return ""
    return f"no engine of it ever ran here, known are: {', '.join(accounts()) or 'none'}"


def write_atomically(path: Path, content: bytes, *, is_durable: bool) -> None:
    """Replace a file in one step, mode 0600: a reader sees the old or the new content, never a part.

    Raises `StorageError` when the disk says no.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            if is_durable:
                file.flush()
                os.fsync(file.fileno())
        temporary.replace(path)
        if is_durable:
            _sync_directory(path.parent)
    except OSError as error:
        raise StorageError(str(path), f"cannot be written: {error.strerror}") from error


def _sync_directory(path: Path) -> None:
    if sys.platform == "win32":
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
