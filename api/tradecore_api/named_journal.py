"""The journal that a command line names: by its file, or by its account."""

from tradecore.domain.errors import ConfigError
from tradecore.domain.journal import JournalFolder
from tradecore.domain.spec_check import is_account_name
from tradecore_api import heartbeat
from tradecore_api.state_dir import StateDir, accounts


def named_journal(source: str) -> JournalFolder:
    """Return the journal of a file, or of an account of this machine.

    Raises
    ------
    ConfigError, StorageError
        When there is none.
    """
    named = JournalFolder(source)
    if named.exists() or not is_account_name(source):
        named.check_exists()
        return named
    state = StateDir(source)
    beat = heartbeat.read(state.heartbeat)
    journal = JournalFolder(beat.journal if beat is not None else state.journal)
    if not journal.exists():
        names = ", ".join(accounts()) or "none"
        rule = f"is no file, and no account of this name has a journal; accounts here: {names}"
        raise ConfigError("command line", "SOURCE", source, rule)
    return journal
