"""Where the journal of a configuration lies that names no path: that of a live engine has its own name."""

from contextlib import suppress

from tradecore.domain import Mode
from tradecore.domain.errors import TradecoreError
from tradecore.domain.journal import JournalFolder
from tradecore.runtime.session_config import SessionConfig
from tradecore_api.config.tables import ConfigTables
from tradecore_api.state_dir import StateDir

LIVE_NAME = "live.journal"


def journal_folder(tables: ConfigTables, state: StateDir) -> JournalFolder:
    """Return the journal of a configuration: what it names, else the one of its account and mode.

    A live engine writes `live.journal` and every other one `engine.journal`, so that nobody takes one for the
    other. A live session that began in the file of the others goes on there.
    """
    if tables.journal.path:
        return JournalFolder(tables.journal.path)
    live, other = JournalFolder(str(state.path / LIVE_NAME)), JournalFolder(state.journal)
    if tables.mode is not Mode.LIVE or (not live.exists() and _began_live(other)):
        return other
    return live


def _began_live(journal: JournalFolder) -> bool:
    with suppress(TradecoreError, OSError):
        for _, _, kind, fields in journal.reader() if journal.exists() else ():
            if kind != "session":
                break
            config = fields["config"]
            return isinstance(config, str) and SessionConfig.decoded(config.encode()).engine.mode is Mode.LIVE
    return False
