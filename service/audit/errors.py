"""What the log raises. Errors of the database itself are `service.database.DatabaseUnavailable`."""


class AuditError(Exception):
    """Base of everything this package raises. Each takes one message."""


class BadEntry(AuditError):
    """The entry cannot be logged: a forbidden field, a wrong value, or it is too large."""


class KeyReused(AuditError):
    """Another entry with this key, but another body, is in the log already."""


class NoEntry(AuditError):
    """The log holds no such entry."""


class NotAcknowledged(AuditError):
    """No answer in time: the entry may be in the log or not. Ask again with the same key."""


class NotDurable(AuditError):
    """The database does not promise that a commit survives a power failure: nothing is logged."""


class LogClosed(AuditError):
    """The log was closed: nothing more is logged."""


class LogTampered(AuditError):
    """The stored log contradicts its signed checkpoint. Nothing is appended from then on."""


class BadCheckpoint(AuditError):
    """Not a checkpoint of this log, or not signed with a key that is trusted."""


class BadProof(AuditError):
    """The proof does not hold."""


class CommitmentBroken(AuditError):
    """A private value is not the one that was committed to in the log."""
