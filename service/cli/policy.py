"""`imprimatur policy`: the policy book on the command line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from service.cli import opening
from service.cli.errors import Refused
from service.cli.options import As, Json
from service.cli.terminal import JSON, emit, out, plain

if TYPE_CHECKING:
    from service.audit.log import AuditLog
    from service.policy_book import Policy
    from service.policy_book.book import Book
    from service.policy_book.changes import Changed, Changes
    from service.policy_book.states import Document

app = typer.Typer(
    help="Policies: lint, diff, list, show, draft, promote, approve, retire, rollback, plan."
)

_SHORTEST = 8
_DIGITS = frozenset("0123456789abcdef")
_Sha = Annotated[
    str, typer.Argument(metavar="SHA", help=f"Its SHA-256, or {_SHORTEST} digits of the start.")
]
_File = Annotated[Path, typer.Argument(metavar="FILE", help="A policy document, YAML.")]


@dataclass(frozen=True, slots=True)
class _Open:
    book: Book
    log: AuditLog


@app.command("lint")
def lint(file: _File, *, json: Json = False) -> int:
    """Say whether a document is a whole policy, and what in it has no effect; exit 1 if refused."""
    from service.policy_book.lint import warnings
    from service.wiring import now

    policy = _of_file(file)
    found = warnings(policy, now().date())
    if json:
        emit({"object": "policy.lint", **_ref(policy), "warnings": list(found)})
        return 0
    out().print(f"{plain(policy.ref.id)} {plain(policy.ref.version)} is whole: {policy.ref.sha256}")
    for said in found:
        out().print(f"warning: {plain(said, 1000)}")
    return 0


@app.command("diff")
def diff(
    old: Annotated[str, typer.Argument(metavar="OLD", help="A file, a SHA-256, or `live`.")],
    new: Annotated[str, typer.Argument(metavar="NEW", help="Likewise.")],
    *,
    json: Json = False,
) -> int:
    """Say in meanings what NEW changes against OLD."""
    from service.policy_book.difference import difference

    before, after = named(old), named(new)
    changes = difference(before, after)
    if json:
        emit(
            {
                "object": "policy.difference",
                "old": _ref(before),
                "new": _ref(after),
                "changes": [
                    {"sentence": one.sentence, "direction": one.direction.value} for one in changes
                ],
            }
        )
        return 0
    told = [f"{plain(one.sentence, 1000)} ({one.direction.value})" for one in changes]
    out().print("\n".join(told) or "They mean the same.")
    return 0


@app.command("list")
def list_(*, limit: Annotated[int, typer.Option(min=1, max=1000)] = 50, json: Json = False) -> int:
    """Show the documents, newest first."""
    from service.policy_book import store

    with _opened() as opened, opened.book.database.reading() as conn:
        found = store.page(conn, None, None, limit)
    if json:
        emit({"object": "list", "data": [_object(one) for one in found]})
        return 0
    for one in found:
        share = f" {one.percent:g} %" if one.share else ""
        out().print(
            f"{one.ref.sha256[:12]}  {one.changed_at:%Y-%m-%d %H:%M}  {one.state}{share}  "
            f"{plain(one.ref.id)} {plain(one.ref.version)}"
        )
    return 0


@app.command("show")
def show(sha: _Sha, *, json: Json = False) -> int:
    """Print a document as it was sent, or with --json what became of it too."""
    from service.policy_book import store

    with _opened() as opened:
        document = _document(opened.book, sha)
        with opened.book.database.reading() as conn:
            history = store.history(conn, document.ref.sha256)
            approvers = store.approvers(conn, document.ref.sha256)
    text = document.text.decode("utf-8", "replace")
    if not json:
        out().print(text, end="")
        return 0
    emit(
        {
            **_object(document),
            "approved_by": sorted(approvers),
            "history": [
                {"act": one.act.value, "actor": one.actor or None, "at": int(one.at.timestamp())}
                for one in history
            ],
            "document": text,
        }
    )
    return 0


@app.command("draft")
def draft(file: _File, *, actor: As = "", json: Json = False) -> int:
    """Store a document as a draft; it decides nothing yet."""
    policy = _of_file(file)
    with _opened() as opened:
        made = _changes(opened, actor).draft(file.read_bytes())
        return _told(opened.log, made, policy.ref.sha256, json=json)


@app.command("promote")
def promote(
    sha: _Sha,
    *,
    to: Annotated[str, typer.Option(help="shadow, canary or live.")],
    percent: Annotated[
        float | None, typer.Option(help="Of a canary: for how many it decides.")
    ] = None,
    actor: As = "",
    json: Json = False,
) -> int:
    """Let it say what it would (shadow), decide for a few (canary), or for all (live)."""
    from service.policy_book.states import TARGETS

    wanted = {one.value: one for one in TARGETS}
    if to not in wanted:
        raise Refused(f"--to is one of {', '.join(wanted)}")
    with _opened() as opened:
        sha256 = _document(opened.book, sha).ref.sha256
        made = _changes(opened, actor).promote(sha256, wanted[to], percent=percent)
        return _told(opened.log, made, sha256, json=json)


@app.command("approve")
def approve(sha: _Sha, *, actor: As = "", json: Json = False) -> int:
    """Approve a document that somebody else wrote."""
    with _opened() as opened:
        sha256 = _document(opened.book, sha).ref.sha256
        return _told(opened.log, _changes(opened, actor).approve(sha256), sha256, json=json)


@app.command("retire")
def retire(sha: _Sha, *, actor: As = "", json: Json = False) -> int:
    """Let a document that is not live say nothing any more."""
    with _opened() as opened:
        sha256 = _document(opened.book, sha).ref.sha256
        return _told(opened.log, _changes(opened, actor).retire(sha256), sha256, json=json)


@app.command("rollback")
def rollback(
    *,
    why: Annotated[
        str, typer.Option(help="false_refusals, missed_harm, mistake or outage.")
    ] = "unstated",
    actor: As = "",
    json: Json = False,
) -> int:
    """Make live again what was live before; needs nobody else."""
    from service.policy_book.states import Why

    if why not in set(Why):
        raise Refused(f"--why is one of {', '.join(Why)}")
    with _opened() as opened:
        made = _changes(opened, actor).rollback(Why(why))
        return _told(opened.log, made, made.document.ref.sha256, json=json)


@app.command("plan")
def plan(
    project: Annotated[str, typer.Argument(metavar="PROJECT", help="proj_…")],
    word: Annotated[str, typer.Argument(metavar="PLAN", help="A word; `-` for none.")],
    *,
    actor: As = "",
    json: Json = False,
) -> int:
    """Put a project on a plan, which policies may have rules of their own for."""
    from service.cli.proof import checked

    chosen = "" if word == "-" else word
    with _opened() as opened:
        receipt = _changes(opened, actor).set_plan(project, chosen)
        proof = checked(opened.log, receipt.index, project=project, plan=chosen)
    if json:
        emit(
            {"object": "project.plan", "project": project, "plan": chosen, "proof": proof.as_json()}
        )
    else:
        out().print(f"{project} is on {chosen or 'no plan'}. {proof.words()}")
    return 0


@contextmanager
def _opened() -> Iterator[_Open]:
    """Yield the book, begun where it is empty; what is live may be one that does not load."""
    from service import wiring

    settings = opening.settings()
    with opening.books(settings) as books:
        seeds = wiring.seeding(settings, books.database, books.log)
        seeds.begin()
        yield _Open(seeds.book, books.log)


def _changes(opened: _Open, actor: str) -> Changes:
    from service import wiring
    from service.policy_book.changes import Changes

    who = opening.person(opened.book.database, actor)
    return Changes(opened.book, opened.log, wiring.now, who.actor, who.project)


def _of_file(file: Path) -> Policy:
    from service import wiring
    from service.policy_book import PolicyRefused

    try:
        return wiring.policy(file.read_bytes())
    except PolicyRefused as refused:
        raise Refused(f"{file}: {refused}") from refused


def named(name: str) -> Policy:
    """Return the policy in a file, of this SHA-256, or the live one."""
    if name != "live" and not (len(name) >= _SHORTEST and set(name) <= _DIGITS):
        return _of_file(Path(name))
    with _opened() as opened:
        if name == "live":
            return opened.book.standing().live
        document = _document(opened.book, name)
        found = opened.book.policy(document.ref.sha256)
    if found is None:
        raise Refused(f"{name}: this version of the service cannot load it")
    return found


def _document(book: Book, start: str) -> Document:
    from service.policy_book import store
    from service.policy_book.states import NoSuchDocument

    if len(start) < _SHORTEST or not set(start) <= _DIGITS:
        raise Refused(f"{plain(start)}: give at least {_SHORTEST} digits of its SHA-256")
    with book.database.reading() as conn:
        found = store.named(conn, start)
    if len(found) > 1:
        raise Refused(f"{start}: several policies begin like this; give more digits")
    if not found:
        raise NoSuchDocument(start)
    return found[0]


def _told(log: AuditLog, made: Changed, sha256: str, *, json: bool) -> int:
    from service.cli.proof import checked

    document = made.document
    ref = document.ref
    told = {"id": ref.id, "version": ref.version, "sha256": sha256}
    proof = checked(log, made.receipt.index, policy=told)
    if json:
        emit({**_object(document), "proof": proof.as_json()})
        return 0
    share = f" for {document.percent:g} %" if document.share else ""
    out().print(
        f"{plain(ref.id)} {plain(ref.version)} ({sha256[:12]}) is {document.state}{share}. "
        f"{proof.words()}"
    )
    return 0


def _ref(policy: Policy) -> JSON:
    ref = policy.ref
    return {"sha256": ref.sha256, "id": ref.id, "version": ref.version}


def _object(document: Document) -> JSON:
    return {
        "object": "policy.document",
        "sha256": document.ref.sha256,
        "id": document.ref.id,
        "version": document.ref.version,
        "state": document.state.value,
        "percent": document.percent if document.share else None,
        "author": document.author or None,
        "origin": document.origin.value,
        "drafted_at": int(document.drafted_at.timestamp()),
        "changed_at": int(document.changed_at.timestamp()),
    }
