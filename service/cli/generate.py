"""`imprimatur generate`: the whole way in this process, from the gates to a sealed film."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from service.cli import opening
from service.cli.asking import Asked, Checked, checked
from service.cli.errors import Refused
from service.cli.options import As, Images, Json, Likenesses, Prompt, Territory
from service.cli.terminal import JSON, emit, out, plain, progress

if TYPE_CHECKING:
    from service.jobs import Job
    from service.rooms import Rooms
    from service.wiring import House

Output = Annotated[Path, typer.Option("-o", "--output", metavar="FILE", help="Where the MP4 goes.")]


def generate(
    prompt: Prompt,
    *,
    output: Output,
    size: Annotated[str, typer.Option(help="Width x height.")] = "640x360",
    seconds: Annotated[int, typer.Option(help="1 to 20.")] = 4,
    fps: Annotated[int, typer.Option(help="8 to 30.")] = 24,
    seed: Annotated[int, typer.Option(help="The same seed makes the same film.")] = 0,
    image: Images = None,
    likeness: Likenesses = None,
    territory: Territory = "",
    actor: As = "",
    json: Json = False,
) -> int:
    """Make a film if it is allowed; exit 0 released, 3 held, 4 refused, 1 error."""
    from service.cli.making import kept

    _require_place(output)
    images, likenesses = tuple(image or ()), tuple(likeness or ())
    asked = checked(Asked(prompt, images, likenesses, territory, size, seconds, fps, seed))
    with opening.house(opening.settings()) as house:
        job = _made(house, asked, actor, quiet=json)
        if job.blob_sha256:
            kept(house.rooms, job, output)
        told = _told(house.rooms, job, output)
    if json:
        emit(told)
    else:
        out().print(_text(told))
    return _exit_code(job)


def _require_place(output: Path) -> None:
    if output.is_dir() or not output.parent.is_dir():
        raise Refused(f"{output}: not a file in an existing folder; make the folder first")


def _made(house: House, asked: Checked, actor: str, *, quiet: bool) -> Job:
    from service.cli.making import made

    pipeline = house.workshop()
    request = asked.request(house.rooms, opening.person(house.rooms.database, actor))
    with progress(quiet=quiet) as bar:
        task = bar.add_task("deciding", total=100)

        def watch(job: Job) -> None:
            bar.update(task, completed=job.percent, description=job.stage or job.state.value)

        return made(pipeline, request, watch)


def _told(rooms: Rooms, job: Job, output: Path) -> JSON:
    from service.api import records
    from service.cli import proof as proofs
    from service.jobs import State

    told: JSON = {
        "object": "generation",
        "id": job.id,
        "state": job.state.value,
        "decision": records.newest_decision(rooms, job.request_id),
        "error": {"code": job.error_code, "message": job.error_message} if job.error_code else None,
        "output": None,
        "sha256": job.blob_sha256,
        "review": _review(rooms, job) if job.state is State.HELD else None,
        "proof": None,
    }
    if job.state is State.RELEASED:
        entry = rooms.log.entry_by_key(f"release:{job.id}")
        proof = proofs.checked(rooms.log, entry.index, content_sha256=job.blob_sha256, job=job.id)
        told |= {"output": str(output), "proof": proof.as_json()}
    elif told["decision"] is not None:
        decision = told["decision"]
        proof = proofs.checked(rooms.log, decision["receipt"]["index"], decision=decision["id"])
        told["proof"] = proof.as_json()
    return told


def _review(rooms: Rooms, job: Job) -> str | None:
    from service import reviews

    with rooms.database.reading() as conn:
        return next((one.id for one in reviews.list_open(conn) if one.job == job.id), None)


def _text(told: JSON) -> str:
    lines = []
    if told["state"] == "released":
        lines.append(f"Released: {plain(told['output'])}, SHA-256 {told['sha256']}")
    elif told["state"] == "held":
        lines.append("Held: a person has to look at it.")
        lines.append(f"  imprimatur reviews show {told['review']}")
    else:
        lines.append(f"{told['state'].capitalize()}.")
    reasons = (told["decision"] or {}).get("reasons", []) if told["state"] != "released" else []
    for reason in reasons:
        lines.append(f"- {reason['message']} (rule {reason['rule']}, seen in {reason['param']})")
        lines.append(f"  to change it: {reason['remedy']}")
    if told["error"] and not reasons:
        lines.append(f"- {told['error']['message']}")
    if told["proof"]:
        proof = told["proof"]
        lines.append(
            f"Entry {proof['index']} of the {proof['tree_size']} in the log {proof['log']}; "
            "its inclusion proof was checked."
        )
    return "\n".join(lines)


def _exit_code(job: Job) -> int:
    from service.decision import Verdict
    from service.jobs import State
    from service.wire import EXIT_CODES

    codes = {
        State.RELEASED: EXIT_CODES[Verdict.ALLOW],
        State.HELD: EXIT_CODES[Verdict.HOLD],
        State.REFUSED: EXIT_CODES[Verdict.BLOCK],
    }
    return codes.get(job.state, 1)
