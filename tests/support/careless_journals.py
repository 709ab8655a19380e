"""Writers of journals that take an error lightly, as faults that failed calls have to find."""

from promises.errnos import writer
from tradecore.domain.errors import StorageError
from tradecore.proof.mortal_journal import MortalJournal


class _Deaf:
    """A writer that hears no error."""

    def __init__(self, journal, reopen):
        self._journal = journal
        self._reopen = reopen
        self.records = journal.records

    @property
    def durable_records(self):
        return self.records

    def append(self, frames):
        self.records += 1
        self._try(lambda: self._journal.append(frames))

    def commit(self, durable):
        self._try(lambda: self._journal.commit(durable))

    def _try(self, step):
        try:
            step()
        except StorageError:
            return


class _Hopeful(_Deaf):
    """A writer that tries again."""

    def _try(self, step):
        try:
            step()
        except StorageError:
            self._journal = self._reopen(self._journal)
            self._journal.commit(True)


class _Late(_Deaf):
    """A writer that commits a group with the one after it."""

    def commit(self, durable):
        self._due = durable

    def append(self, frames):
        if (due := self.__dict__.pop("_due", None)) is not None:
            super().commit(due)
        super().append(frames)


def errors_passed_over():
    """What a disk says no to counts as written."""
    _writers_become(_Deaf)


def a_sync_tried_again():
    """After an error the journal is opened again, and goes on."""
    _writers_become(_Hopeful)


def groups_committed_late():
    """A group counts as committed before it is."""
    _writers_become(_Late)


def engines_that_pass_over_errors():
    """The journal of an engine says nothing of its errors."""
    commit, append = MortalJournal.commit, MortalJournal.append

    def patched(step):
        def careless(self, value, /):
            try:
                step(self, value)
            except StorageError:
                return

        return careless

    MortalJournal.commit, MortalJournal.append = patched(commit), patched(append)


def _writers_become(kind):
    opened = writer.opened

    def patched(path, segments):
        def reopen(journal):
            journal.close()
            return opened(path, segments)

        return kind(opened(path, segments), reopen)

    writer.opened = patched


BUGS = {bug.__name__: bug for bug in (errors_passed_over, a_sync_tried_again, engines_that_pass_over_errors)}
