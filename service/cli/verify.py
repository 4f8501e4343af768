"""`imprimatur verify`: where does this file come from, and can that be relied on?"""

from __future__ import annotations

import hashlib
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from service.cli import opening
from service.cli.options import Json
from service.cli.terminal import JSON, emit, out, plain

if TYPE_CHECKING:
    from provenance.examine import Examination
    from service.audit.log import AuditLog
    from service.settings import Settings


class Require(StrEnum):
    """The least that ends with 0."""

    TRUSTED = "trusted"
    VALID = "valid"
    ANY = "any"


def verify(
    file: Annotated[Path, typer.Argument(help="A film or picture.")],
    *,
    require: Annotated[
        Require, typer.Option(help="The least that ends with 0; `any` is any mark that holds.")
    ] = Require.TRUSTED,
    trust: Annotated[
        Path | None, typer.Option(metavar="PEM", help="Further root certificates to trust.")
    ] = None,
    json: Json = False,
) -> int:
    """Say who signed a file and whether it changed; exit codes are in docs/operating.md."""
    from provenance.examine import examine, exit_code
    from service.cli.anchors import anchors

    settings = opening.settings()
    content = _sha256(file)
    found = examine(file, anchors(settings, trust))
    log = _in_log(settings, content)
    code = 0 if _suffices(found, require) else exit_code(found.origin)
    if json:
        emit(_object(file, content, found, log, code))
    else:
        out().print("\n".join(_sentences(found, log)))
    return code


def _sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _suffices(found: Examination, require: Require) -> bool:
    from provenance.examine import Origin

    # Hidden marks, once there are any, will suffice for `any` alone.
    holds = {Origin.TRUSTED}
    if require is not Require.TRUSTED:
        holds.add(Origin.VALID_UNKNOWN_SIGNER)
    return found.origin in holds


def _in_log(settings: Settings, content: str) -> JSON:
    """Return what the log of this installation has on a release with this content."""
    if not opening.has_books(settings):
        return {"asked": False, "released": None, "job": None, "proof": None}
    from sqlalchemy import select

    from service.cli.proof import checked
    from service.jobs.tables import job

    with opening.books(settings) as books:
        with books.database.reading() as conn:
            query = select(job.c.id).where(job.c.blob_sha256 == content).order_by(job.c.seq)
            found = conn.execute(query.limit(1)).scalar() or _guarded(books.log, content)
        if found is None:
            return {"asked": True, "released": False, "job": None, "proof": None}
        entry = books.log.entry_by_key(f"release:{found}")
        proof = checked(books.log, entry.index, content_sha256=content, job=found)
    return {"asked": True, "released": True, "job": found, "proof": proof.as_json()}


def _guarded(log: AuditLog, content: str) -> str | None:
    """Return the request that a guarded program published this for: it has no job."""
    from service.audit.reading import EntryFilter
    from service.audit.search.query import All, Term
    from service.decision import Stage, Verdict

    query = All((Term("type", "release.sealed"), Term("content", content)))
    with log.finding() as (finder, read):
        sealed = list(read(query, finder.places(query, newest=True, after=None, limit=1)))
    for entry in sealed:
        # Sealed is not out: consent was asked for a last time after that.
        last = log.entries(EntryFilter(type="decision.made", request=entry.request, limit=1))
        said = [(one.facts.get("stage"), one.facts.get("verdict")) for one in last]
        if said == [(Stage.RELEASE.value, Verdict.ALLOW.word)]:
            return entry.request
    return None


def _object(file: Path, content: str, found: Examination, log: JSON, code: int) -> JSON:
    report = found.report
    return {
        "object": "provenance.check",
        "file": str(file),
        "sha256": content,
        "origin": found.origin.value,
        "headline": found.headline,
        "details": list(found.details),
        "failures": list(report.failures) if report else [],
        "manifest": report.label if report else None,
        "issuer": report.issuer if report else None,
        "validator": found.validator,
        "log": log,
        "exit_code": code,
    }


def _sentences(found: Examination, log: JSON) -> list[str]:
    said = [found.headline, *found.details]
    if log["released"]:
        proof = log["proof"]
        said.append(
            f"Released here as {log['job']}: entry {proof['index']} of the {proof['tree_size']} "
            f"in the log {proof['log']}; its inclusion proof was checked."
        )
    elif log["asked"]:
        said.append("The log here has no release with exactly this content.")
    else:
        said.append("There is no log here to ask.")
    return [*(plain(one, 400) for one in said), f"Checked with {found.validator}."]
