"""`imprimatur appeal` and `appeals`: against a refusal, and what somebody else says to that."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from service.cli import opening, revealing
from service.cli.options import As, Json, Reveal
from service.cli.terminal import JSON, emit, out, plain

if TYPE_CHECKING:
    from service.appealing import Done
    from service.appeals import Appeal
    from service.audit.log import AuditLog
    from service.cli.proof import Proof

app = typer.Typer(help="Appeals against refusals: list, show, uphold, dismiss.")

Id = Annotated[str, typer.Argument(metavar="APPEAL", help="apl_…")]
Statement = Annotated[
    str, typer.Option(help="What the appellant is answered; kept out of the log.")
]


def appeal(
    decision: Annotated[str, typer.Argument(metavar="DECISION", help="dec_…, which refused you.")],
    *,
    why: Annotated[str, typer.Option(help="Why it is wrong; kept out of the log.")],
    actor: As = "",
    json: Json = False,
) -> int:
    """Appeal against a decision that refused you: once, and within 180 days."""
    from service.appealing import Appealing

    said = _checked(why, "why")
    with opening.house(opening.settings()) as house:
        who = opening.person(house.rooms.database, actor)
        done = Appealing(house.rooms, who.actor, who.project).open(decision, said)
        proof = _proof(house.rooms.log, done)
    return _shown(done, proof, json=json)


@app.command("list")
def list_(*, limit: Annotated[int, typer.Option(min=1, max=1000)] = 50, json: Json = False) -> int:
    """Show what waits for a person, longest first."""
    from service import appeals

    with opening.books(opening.settings()) as books, books.database.reading() as conn:
        found = appeals.list_open(conn, limit=limit)
    if json:
        emit({"object": "list", "data": [_object(one) for one in found]})
        return 0
    if not found:
        out().print("Nothing waits.")
    for one in found:
        out().print(f"{one.id}  {one.opened_at:%Y-%m-%d %H:%M}  {', '.join(one.codes)}")
    return 0


@app.command("show")
def show(appeal: Id, *, reveal: Reveal = False, actor: As = "", json: Json = False) -> int:
    """Show one appeal; with --reveal what was asked, why it is appealed, and what was answered."""
    from service import appealing, appeals
    from service.casework import Case, Kind

    with opening.books(opening.settings()) as books, books.database.reading() as conn:
        found = appeals.get(conn, appeal)
    shown, lines = _object(found), [_line(found)]
    if reveal:
        case = Case(Kind.APPEAL, found.id, found.decision_id)
        seen = revealing.seen(case, actor, found.project)
        with opening.house(opening.settings()) as house:
            words = appealing.words_of(house.rooms, found)
        shown |= {**revealing.as_json(seen), "why": words.why, "statement": words.statement}
        lines += [revealing.as_text(seen), f"Why: {plain(words.why or 'not kept any more', 4000)}"]
        if words.statement:
            lines.append(f"Answer: {plain(words.statement, 4000)}")
    if json:
        emit(shown)
    else:
        out().print("\n".join(lines))
    return 0


@app.command("uphold")
def uphold(appeal: Id, *, statement: Statement, actor: As = "", json: Json = False) -> int:
    """Say that the decision was wrong; what may be lifted is lifted for this request, a while."""
    return _rule(appeal, statement, actor, json=json, upholding=True)


@app.command("dismiss")
def dismiss(appeal: Id, *, statement: Statement, actor: As = "", json: Json = False) -> int:
    """Let the decision stand, and say why."""
    return _rule(appeal, statement, actor, json=json, upholding=False)


def _rule(appeal: str, statement: str, actor: str, *, json: bool, upholding: bool) -> int:
    from service import appeals
    from service.appealing import Appealing

    said = _checked(statement, "statement")
    with opening.house(opening.settings()) as house:
        who = opening.person(house.rooms.database, actor)
        with house.rooms.database.reading() as conn:
            found = appeals.get(conn, appeal)
        # Whoever sits at the machine reaches the whole house.
        mine = Appealing(house.rooms, who.actor, found.project)
        done = mine.uphold(appeal, said) if upholding else mine.dismiss(appeal, said)
        proof = _proof(house.rooms.log, done)
    return _shown(done, proof, json=json)


def _checked(text: str, param: str) -> str:
    from service.appeals import MAX_CHARACTERS
    from service.request import BadRequest, checked_prompt

    said = checked_prompt(text, param=param)
    if len(said) > MAX_CHARACTERS:
        raise BadRequest(
            param, "too_long", f"it has {len(said)} characters.", f"Use at most {MAX_CHARACTERS}."
        )
    return said


def _proof(log: AuditLog, done: Done) -> Proof:
    from service.cli.proof import checked

    return checked(log, done.receipt.index, appeal=done.appeal.id)


def _shown(done: Done, proof: Proof, *, json: bool) -> int:
    if json:
        emit({**_object(done.appeal), "proof": proof.as_json()})
    else:
        out().print(f"{_line(done.appeal)} {proof.words()}")
    return 0


def _line(found: Appeal) -> str:
    from service.appeals import message

    return (
        f"{found.id} against {found.decision_id} ({', '.join(found.codes)}) is "
        f"{found.state.value}. {message(found)}"
    )


def _object(found: Appeal) -> JSON:
    from service.appeals import message

    return {
        "object": "appeal",
        "id": found.id,
        "decision": found.decision_id,
        "project": found.project,
        "stage": found.stage.value,
        "reasons": [plain(one) for one in found.codes],
        "status": found.state.value,
        "opened_at": int(found.opened_at.timestamp()),
        "lifted": list(found.lifted),
        "lifted_until": int(found.until.timestamp()) if found.until else None,
        "not_lifted": list(found.remaining),
        "message": message(found),
    }
