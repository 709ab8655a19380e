"""Where a running engine keeps its small files: one directory per account, for its owner alone."""

import errno
import os
import stat
import sys
from contextlib import suppress
from pathlib import Path

from tradecore.domain.directories import make_directory, sync_directory
from tradecore.domain.errors import ConfigError, StorageError
from tradecore.domain.spec_check import ACCOUNT_NAME_RULE, is_account_name
from tradecore_api import account_socket

ENVIRONMENT_NAME = "TRADECORE_STATE_DIR"
# What all accounts have in common lies beside them under a name that no account can have.
SHARED_NAME = ".shared"
# Opens a pipe that somebody laid in the place of a file without waiting for its other end.
NEVER_WAIT = getattr(os, "O_NONBLOCK", 0)
# More than any of them ever has; a file without end would take all memory of whoever looks.
SMALL_BYTES_MAX = 1 << 26


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
    within : Path, optional
        The directory of all accounts, where it is not that of this process.

    Raises
    ------
    ConfigError
        When the name could not be that of a directory.
    """

    def __init__(self, account: str, *, within: Path | None = None) -> None:
        if not is_account_name(account):
            raise ConfigError("account", "name", account, ACCOUNT_NAME_RULE)
        self.account = account
        self.path = (within or root()) / account
        self.lock = self.path / "engine.lock"
        self.heartbeat = self.path / "heartbeat.json"
        self.address = self.path / "control.json"
        self.kill_latch = self.path / "kill.latch"
        self.kill_release = self.path / "kill.release"
        self.journal = self.path / "engine.journal"
        self.database = self.path / "readmodel.sqlite"
        self.last_words = self.path / "last_words.json"
        self.watchdog = self.path / "watchdog.json"
        self.watchdog_lock = self.path / "watchdog.lock"
        self.failed_start = self.path / "failed_start.json"
        self.arming = self.path / "arming.json"
        # The venue account that the two files below are of.
        self.venue_account = account
        self.start_report = self.path / "start_report.json"
        self.dead_letters = self.path / "dead_letters.jsonl"

    def of_venue_account(self, name: str) -> "StateDir":
        """Return the same directory, with the papers of a venue account; the first has the engine's name."""
        made = StateDir(self.account, within=self.path.parent)
        if name != self.account:
            made.venue_account = name
            made.start_report = self.path / f"start_report-{name}.json"
            made.dead_letters = self.path / f"dead_letters-{name}.jsonl"
        return made

    def create(self) -> None:
        """Make the directory, readable by its owner alone.

        Raises `StorageError` when that is not possible.
        """
        try:
            make_directory(self.path, 0o700)
            if sys.platform != "win32":
                self.path.chmod(0o700)
        except OSError as error:
            what = f"cannot be made: {error.strerror}; set {ENVIRONMENT_NAME} to a directory you may write to"
            raise StorageError(str(self.path), what) from error


def shared_file(name: str) -> Path:
    """Return the place of a file that all accounts share, and make its directory.

    Raises `StorageError` when that is not possible.
    """
    folder = root() / SHARED_NAME
    try:
        make_directory(folder, 0o700)
    except OSError as error:
        what = f"cannot be made: {error.strerror}; set {ENVIRONMENT_NAME} to a directory you may write to"
        raise StorageError(str(folder), what) from error
    return folder / name


def accounts() -> list[str]:
    """Return the names of all accounts that have a directory here or run without one, sorted.

    What is no account beside them is left out: `odd_entries` names it.
    """
    named = (entry.name for entry, why in _entries() if not why)
    return sorted({*named, *running_accounts()})


def running_accounts() -> list[str]:
    """Return the accounts of engines that run, by their names in the kernel; looks at no file of theirs."""
    return list(filter(is_account_name, account_socket.accounts(root())))


def odd_entries() -> list[str]:
    """Return what lies beside the accounts and is none, each with the reason, in words."""
    return [f"{entry} is left out: {why}" for entry, why in _entries() if why]


def _entries() -> list[tuple[Path, str]]:
    """Return everything in the directory of all accounts; with the reason why where it is no account."""
    try:
        entries = [entry for entry in sorted(root().iterdir()) if entry.name != SHARED_NAME]
        return [(entry, _why_odd(entry)) for entry in entries]
    except FileNotFoundError:
        return []
    except OSError as error:
        raise StorageError(str(root()), f"cannot be read: {error.strerror}") from error


def _why_odd(entry: Path) -> str:
    """Return why an entry is no account; nothing where it is one, readable or not."""
    if not is_account_name(entry.name):
        return f"its name is no account's: a name {ACCOUNT_NAME_RULE}"
    try:
        mode = entry.stat().st_mode
    except OSError as error:
        return f"it leads nowhere: {error.strerror}"
    return "" if stat.S_ISDIR(mode) else "it is no directory"


def known_accounts() -> list[str]:
    """Return the accounts that an engine ran for: a kill switch alone may be that of a mistyped name."""
    running = running_accounts()
    return [name for name in accounts() if name in running or not _has_switch_alone(root() / name)]


def unknown_words(account: str) -> str:
    """Return what to say of a name that was never seen here; nothing of one that was."""
    known = known_accounts()
    if account in known:
        return ""
    return f"no engine of it ever ran here, known are: {', '.join(known) or 'none'}"


def _has_switch_alone(directory: Path) -> bool:
    try:
        names = [entry.name for entry in directory.iterdir()]
    except OSError:
        # What cannot be looked at may be anything.
        return False
    return bool(names) and all("kill." in name for name in names)


def owner_words(state: StateDir) -> str:
    """Return how to ask about an account of another user; nothing for its owner and for root."""
    if sys.platform == "win32" or os.geteuid() == 0:
        return ""
    try:
        owner = state.path.stat().st_uid
    except OSError:
        return ""
    if owner == os.geteuid():
        return ""
    name = _user_name(owner)
    return f"its engine obeys the user {name} alone: ask as that user (`sudo -u {name} tradecore ...`)"


def _user_name(number: int) -> str:
    import pwd

    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return f"#{number}"


def read_small(path: Path) -> bytes:
    """Return what is in a small file of ours.

    Raises `OSError`, also for a pipe, which would never answer, and for what is too large to be ours.
    """
    descriptor = os.open(path, os.O_RDONLY | NEVER_WAIT)
    with os.fdopen(descriptor, "rb") as file:
        require_file(descriptor, path)
        content = file.read(SMALL_BYTES_MAX + 1)
    if len(content) > SMALL_BYTES_MAX:
        raise OSError(errno.EFBIG, "is too large to be ours: remove it", str(path))
    return content


def require_file(descriptor: int, path: Path) -> None:
    """Raise `OSError` unless what is open is an ordinary file."""
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        raise OSError(errno.EINVAL, "is no ordinary file: remove it", str(path))


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
            sync_directory(path.parent)
    except OSError as error:
        with suppress(OSError):
            # A full disk has better use for the room.
            temporary.unlink(missing_ok=True)
        raise StorageError(str(path), f"cannot be written: {error.strerror}") from error


def make_empty(path: Path) -> None:
    """Make sure that a file is there, durably, and write nothing into it; raises `OSError`."""
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | NEVER_WAIT, 0o600))
    sync_directory(path.parent)
