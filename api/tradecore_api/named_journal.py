"""The journal that a command line names: by its file, or by its account."""

from tradecore.domain.errors import ConfigError
from tradecore.domain.journal import JournalFolder
from tradecore.domain.spec_check import is_account_name
from tradecore_api import heartbeat
from tradecore_api.state_dir import StateDir, accounts


def chosen_journal(source: str | None, beside: str = "") -> JournalFolder:
    """Return the journal that is named, or that of the only account; `beside` is what else could be named.

    Raises
    ------
    ConfigError, StorageError
        When there is none, or more than one.
    """
    if source is None:
        known = accounts()
        if len(known) != 1:
            rule = f"name an account ({', '.join(known) or 'there is none'}) or a journal file{beside}"
            raise ConfigError("command line", "SOURCE", None, rule)
        source = known[0]
    return named_journal(source)


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
