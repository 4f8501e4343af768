"""What the log raises. Errors of the database itself are `service.database.DatabaseUnavailable`."""

from service.subjects import SubjectErased


class AuditError(Exception):
    """Base of everything this package raises. Each takes one message."""


class BadEntry(AuditError):
    """The entry cannot be logged: a forbidden field, a wrong value, or it is too large."""


class KeyReused(AuditError):
    """Another entry with this key, but another body, is in the log already."""


class NoEntry(AuditError):
    """The log holds no such entry."""


class Pruned(NoEntry):
    """The entry was there, and its term is over: an archive has it, and its proofs still hold."""


class NotAcknowledged(AuditError):
    """No answer in time: the entry may be in the log or not. Ask again with the same key."""


class NotDurable(AuditError):
    """The database does not promise that a commit survives a power failure: nothing is logged."""


class LogClosed(AuditError):
    """The log was closed: nothing more is logged."""


class LogTampered(AuditError):
    """The stored log contradicts its signed checkpoint. Nothing is appended from then on."""


class IndexBroken(AuditError):
    """The search index contradicts the entries; `imprimatur audit reindex` makes it anew."""


class BadCheckpoint(AuditError):
    """Not a checkpoint of this log, or not signed with a key that is trusted."""


class BadProof(AuditError):
    """The proof does not hold."""


class NoSuchTree(BadProof):
    """The log is not that long yet."""


class NoTile(AuditError):
    """The log has no such tile or bundle of entries, or it is none."""


class BadCosigner(AuditError):
    """Not the public key of a witness, or not an address to send checkpoints to."""


class CommitmentBroken(AuditError):
    """A private value is not the one that was committed to in the log."""


class ValueRetired(AuditError, SubjectErased):
    """The value's term was over and a sweep dropped it; to whoever reads, it is erased."""


class ArchiveBroken(AuditError):
    """The file is no whole archive of this log."""
