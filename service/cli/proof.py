"""The proof that something is in the log, checked before anybody is told that it is.

It is checked by `service/audit/verify_file.py`, which shares no code with the log.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from service.cli.terminal import JSON

if TYPE_CHECKING:
    from service.audit.log import AuditLog
    from service.audit.verify_file import Proved
    from service.decision import Decision, Receipt


@dataclass(frozen=True, slots=True)
class Proof:
    """Entry `index` is among the first `tree_size` of the log, under a checkpoint it signed."""

    log: str
    index: int
    tree_size: int
    type: str

    def as_json(self) -> JSON:
        """Return it for `--json`."""
        return {
            "checked": True,
            "log": self.log,
            "index": self.index,
            "tree_size": self.tree_size,
            "type": self.type,
        }

    def words(self) -> str:
        """Return it as one sentence."""
        return (
            f"Entry {self.index} of the {self.tree_size} in the log {self.log}; "
            "its inclusion proof was checked."
        )


def checked(log: AuditLog, index: int, **facts: object) -> Proof:
    """Return the checked proof of entry `index`.

    Args:
        facts: what the entry must say.

    Raises:
        NotProved: it does not lead to the signed root, or says something else.
        AuditError: the log cannot answer.
    """
    from service.audit.reading import parsed
    from service.audit.verify_file import NotProved

    proved = _proved(log, index)
    entry = parsed(proved.index, proved.entry)
    wrong = [name for name, value in facts.items() if entry.facts.get(name) != value]
    if proved.index != index or wrong:
        raise NotProved(
            f"entry {index} of the log says something else about {', '.join(wrong) or 'its place'};"
            " run `imprimatur audit verify`"
        )
    return Proof(proved.origin, proved.index, proved.size, entry.type)


def _proved(log: AuditLog, index: int) -> Proved:
    """Return the proof under the key that signed it: the newest, or one that it replaced."""
    from service.audit.verify_file import NotProved, verify

    text = log.proof_text(index)
    *others, last = log.verifier_keys()
    for key in others:
        with suppress(NotProved):
            return verify(text, key)
    return verify(text, last)


def of_decision(log: AuditLog, decision: Decision, receipt: Receipt) -> Proof:
    """Return the checked proof that exactly this decision is in the log."""
    return checked(log, receipt.index, decision=decision.id, verdict=decision.verdict.word)
