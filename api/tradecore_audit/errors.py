"""Why an audit cannot go on."""


class AuditError(Exception):
    """Something cannot be read: no finding of the audit, but the end of it.

    Attributes
    ----------
    where : str
        The file, or the part of it.
    what : str
        What is wrong, and what to do.
    """

    def __init__(self, where: str, what: str) -> None:
        super().__init__(f"{where}: {what}")
        self.where = where
        self.what = what


class UnreadableError(AuditError):
    """The operating system, or a library that is not there, keeps the bytes from being read."""


class DamagedError(AuditError):
    """The bytes are not those that were written: no crash explains them."""
