"""`imprimatur reviews`: what waits for a person, and what that person says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from service.cli import opening, revealing
from service.cli.options import As, Json, Reveal
from service.cli.terminal import JSON, emit, out, plain

if TYPE_CHECKING:
    from service.acts import Acts, Logged
    from service.reviews import Outcome, Review

app = typer.Typer(help="Held requests: list, show, clear, refuse.")

Id = Annotated[str, typer.Argument(metavar="REVIEW", help="rev_…")]
Note = Annotated[str, typer.Option(help="Why, in your words; kept out of the log.")]


@app.command("list")
def list_(*, limit: Annotated[int, typer.Option(min=1, max=1000)] = 50, json: Json = False) -> int:
    """Show what waits, longest first."""
    from service import reviews

    with (
        opening.books(opening.settings()) as books,
        books.database.reading() as conn,
    ):
        found = reviews.list_open(conn, limit=limit)
    if json:
        emit({"object": "list", "data": [_object(one) for one in found]})
    elif not found:
        out().print("Nothing waits.")
    else:
        for one in found:
            out().print(f"{one.id}  {one.opened_at:%Y-%m-%d %H:%M}  {', '.join(one.reasons)}")
    return 0


@app.command("show")
def show(review: Id, *, reveal: Reveal = False, actor: As = "", json: Json = False) -> int:
    """Show one review with the decision that holds the request."""
    from service import reviews
    from service.casework import Case, Kind
    from service.steps.verdicts import entry_key

    with opening.books(opening.settings()) as books:
        with books.database.reading() as conn:
            found = reviews.get(conn, review)
        decision = books.log.entry_by_key(entry_key(found.decision_id))
    case = Case(Kind.REVIEW, found.id, found.decision_id, found.job)
    seen = revealing.seen(case, actor, found.project) if reveal else None
    if json:
        words = revealing.as_json(seen) if seen else {}
        emit({**_object(found), "decision": dict(decision.facts), **words})
        return 0
    out().print(
        f"{found.id} is {found.ruling.value}: {found.job or 'a request'}, held at "
        f"{found.stage.value} by {', '.join(found.reasons)}.\nDecision {found.decision_id}, "
        f"entry {decision.index} of the log."
    )
    if seen:
        out().print(revealing.as_text(seen))
    return 0


@app.command("clear")
def clear(review: Id, *, note: Note = "", actor: As = "", json: Json = False) -> int:
    """Let the job go on where it stopped."""
    return _rule(review, note, actor, json=json, clearing=True)


@app.command("refuse")
def refuse(review: Id, *, note: Note = "", actor: As = "", json: Json = False) -> int:
    """End the job as refused."""
    return _rule(review, note, actor, json=json, clearing=False)


def _rule(review: str, note: str, actor: str, *, json: bool, clearing: bool) -> int:
    from service.acts import Acts
    from service.cli.proof import checked

    with opening.house(opening.settings()) as house:
        who = opening.person(house.rooms.database, actor)
        acts = Acts(house.rooms, who.actor, who.project)
        done = _ruled(acts, review, note, clearing=clearing)
        proof = checked(house.rooms.log, done.receipt.index, review=done.made.review)
    if json:
        emit(
            {
                "object": "review.ruling",
                "review": done.made.review,
                "ruling": done.made.ruling.value,
                "job": done.made.job.id if done.made.job else None,
                "state": done.made.job.state.value if done.made.job else None,
                "proof": proof.as_json(),
            }
        )
    else:
        out().print(
            f"{done.made.review} is {done.made.ruling.value}; {_next(done)} {proof.words()}"
        )
    return 0


def _next(done: Logged[Outcome]) -> str:
    if done.made.job:
        return f"{done.made.job.id} is {done.made.job.state.value}."
    if done.made.until_at:
        return f"the same request may pass these holds until {done.made.until_at:%F}."
    return "the decision stands."


def _ruled(acts: Acts, review: str, note: str, *, clearing: bool) -> Logged[Outcome]:
    return acts.clear(review, note) if clearing else acts.refuse(review, note)


def _object(review: Review) -> JSON:
    return {
        "object": "review",
        "id": review.id,
        "job": review.job or None,
        "project": review.project,
        "stage": review.stage.value,
        "decision": review.decision_id,
        "reasons": [plain(one) for one in review.reasons],
        "ruling": review.ruling.value,
        "reviewer": review.reviewer or None,
        "opened_at": int(review.opened_at.timestamp()),
    }
