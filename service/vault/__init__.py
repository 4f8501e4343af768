"""Films on disk: unmarked ones shut away per job, marked ones under the hash of their content.

    quarantine/<job>/            unmarked frames, mode 0700, gone after the release or the refusal
    workbench/<job>/             sealed files on their way out, mode 0700, gone likewise
    released/incoming/           copies under way; nothing here has a name that anybody asks for
    released/sha256/ab/cd/<64>   immutable, read-only, created once
    naming.lock                  held while one of these is named, or one that nobody shows goes

Nothing is published by its name: `publish` copies, hashes what it copied, and compares that with
the digest that the seal stands in the log with.
"""

from service.vault.errors import (
    BadName,
    BlobDamaged,
    NoSuchBlob,
    NotWhatWasSealed,
    Unmarked,
    VaultError,
    VaultFull,
    VaultUnavailable,
)
from service.vault.store import Blob, Shown, Vault

__all__ = [
    "BadName",
    "Blob",
    "BlobDamaged",
    "NoSuchBlob",
    "NotWhatWasSealed",
    "Shown",
    "Unmarked",
    "Vault",
    "VaultError",
    "VaultFull",
    "VaultUnavailable",
]
