"""What can go wrong in this package. Leaves state a fact; none of them means "released"."""


class ProvenanceError(Exception):
    """Base of everything this package raises."""


class CredentialsUnusable(ProvenanceError):
    """The certificate chain or key cannot sign now; the message says which and why."""


class FrameTooSmall(ProvenanceError):
    """The frame has no room for a mark that people can read."""


class SignFailed(ProvenanceError):
    """No signed file was made; nothing is left under the target's name."""


class SealFailed(ProvenanceError):
    """A file did not carry what it must carry; nothing is left under the target's name."""


class NotReadable(ProvenanceError):
    """The file could not be read from disk, so nothing can be said about it."""
