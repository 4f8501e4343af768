"""Logs with decisions of every kind in them, and exports of them."""

from service.audit.entries import Json
from service.audit.log import AuditLog
from service.audit.search.query import EVERYTHING, Query
from service.audit.verify_file import ProvedExport, verify_export
from service.database import Database
from service.exports import writing
from service.exports.opening import Books, Opened, opened
from service.exports.words import Asked, Exporter, Format, Proofs
from tests.service.audit.builders import START, an_entry

POLICY: dict[str, Json] = {"id": "default", "version": "2026-11-21.1", "sha256": "ab" * 32}
EXPORTER = Exporter("act_auditor", START)


def told(_sha256: str, rule: str) -> str:
    return f"This is what the rule {rule} tells people."


def a_decision(verdict: str, *codes: str, **other: Json) -> dict[str, Json]:
    """Return the facts of a decision; the first code decided it."""
    return {
        "decision": f"dec_{verdict}_{len(codes)}", "verdict": verdict, "mode": "enforce",
        "stage": "request", "policy": POLICY,
        "reasons": [
            {
                "code": code, "verdict": verdict, "gate": "filters", "owner": "platform",
                "category": code, "param": "text", "rule": code.replace(".", "/"), "score": 0.97,
                "threshold": 0.5, "observation": f"obs_{number}",
            }
            for number, code in enumerate(codes)
        ],
        "observations": [
            {
                "id": f"obs_{number}", "gate": "filters", "detector": "filters.text@1",
                "category": code, "surface": "prompt", "param": "text", "score": 0.97,
                "matched": [], "index": "",
            }
            for number, code in enumerate(codes)
        ],
        **other,
    }  # fmt: skip


def fill(log: AuditLog, count: int) -> None:
    """Append `count` entries, every third a block."""
    facts = (a_decision("allow"), a_decision("hold", "likeness.stranger"))
    block = a_decision("block", "filters.sexual", "likeness.stranger")
    log.append_many(
        [
            an_entry(f"key_{at}", facts=block if at % 3 == 0 else facts[at % 2])
            for at in range(count)
        ]
    )


def begun(
    log: AuditLog,
    database: Database,
    format: Format = Format.JSONL,  # noqa: A002 - the word of the command line
    *,
    query: Query = EVERYTHING,
    project: str = "",
    proofs: Proofs = Proofs.EACH,
) -> Opened:
    return opened(Books(log, database), Asked(format, query, project, proofs), EXPORTER)


def text_of(export: Opened) -> str:
    return "".join(writing.chunks(export, told))


def proved(text: str | bytes, key: str) -> ProvedExport:
    content = text.encode() if isinstance(text, str) else text
    return verify_export(content.splitlines(keepends=True), key)
