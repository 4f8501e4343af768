"""What can be wrong with a file on its way to the public."""


class VaultError(Exception):
    """Base of everything `service.vault` raises."""


class VaultFull(VaultError):
    """There is no room. Nothing was published; `remedy` says what the operator can do."""

    def __init__(self, remedy: str) -> None:
        super().__init__(f"the vault is full: {remedy}")
        self.remedy = remedy


class VaultUnavailable(VaultError):
    """The folder cannot be read or written; the message says why. Nothing was published."""


class BadName(VaultError):
    """Not the id of a job or not a SHA-256 in lower-case hex, so it names nothing here."""


class NoSuchBlob(VaultError):
    """No file with this content is released, or it was deleted."""


class NotWhatWasSealed(VaultError):
    """The file does not have the content that was promised; it was not published."""


class Unmarked(VaultError):
    """The file lies in quarantine, and nothing is published from there."""


class BlobDamaged(VaultError):
    """A released file no longer has the content that it is named by; it is given to nobody."""
