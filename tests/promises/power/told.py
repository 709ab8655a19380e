"""A journal that says what is safe in it."""

from promises.power.said import Said, Say
from tradecore.domain.journal import JournalWriter


class ToldJournal:
    """Does what its writer does, and says what is safe: whoever hears of a commit relies on it."""

    def __init__(self, writer: JournalWriter, say: Say) -> None:
        self._writer, self._say = writer, say
        self.append = writer.append

    @property
    def head(self) -> str:
        """Hash of the chain."""
        return self._writer.head

    @property
    def records(self) -> int:
        """Number of frames."""
        return self._writer.records

    def commit(self, durable: bool, /) -> None:
        """Commit, and say it."""
        self._writer.commit(durable)
        if durable:
            self._say(ended="commit", records=self._writer.records)

    def close(self) -> None:
        """Close, and say it."""
        self._writer.close()
        self._say(ended="commit", records=self._writer.records)


def newest(said: Said, ended: str) -> int:
    """Return the highest number of records that was said of something."""
    return max((int(str(each["records"])) for each in said if each.get("ended") == ended), default=0)
