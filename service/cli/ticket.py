"""`imprimatur ticket`: what a permission to generate permits, and whether it holds."""

from __future__ import annotations

import re
import sys
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from service.cli import opening
from service.cli.errors import Refused
from service.cli.options import Images, Json, Likenesses, Territory
from service.cli.terminal import JSON, emit, out, plain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from service.api.fields import Fields
    from service.keys import VerifyingKey
    from service.request import GenerationRequest
    from service.ticket import Ticket, TicketInvalid

app = typer.Typer(help="Permissions to generate.", no_args_is_help=True)

NOT_VALID = 4
_MAX_REQUEST_BYTES = 32 << 20


@app.callback()
def _group() -> None:
    """Permissions to generate."""


@app.command()
def verify(
    token: Annotated[str, typer.Argument(metavar="TICKET", help="It, its file, or - for stdin.")],
    *,
    request: Annotated[
        Path | None,
        typer.Option("--request", metavar="FILE", help="The JSON that a generator is sent."),
    ] = None,
    prompt: Annotated[str | None, typer.Option(help="Instead: what is to be generated.")] = None,
    image: Images = None,
    likeness: Likenesses = None,
    territory: Territory = "",
    model: Annotated[str | None, typer.Option(help="The model's name.")] = None,
    size: Annotated[str | None, typer.Option(help="Such as 640x360.")] = None,
    seconds: Annotated[str | None, typer.Option(help="Its length.")] = None,
    fps: Annotated[str | None, typer.Option(help="Frames a second.")] = None,
    seed: Annotated[str | None, typer.Option(help="Its seed.")] = None,
    keys: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="What /v1/policy/ticket_keys says; else our own keys."),
    ] = None,
    json: Json = False,
) -> int:
    """Say what a ticket permits, until when and by which key; exit 0 valid, 4 not valid."""
    from service.ticket import key_id

    given = {
        "prompt": prompt, "model": model, "size": size, "seconds": seconds, "fps": fps,
        "seed": seed,
    }  # fmt: skip
    stated: dict[str, tuple[str, ...]] = {
        name: (value,) for name, value in given.items() if value is not None
    }
    if likeness:
        stated["likenesses"] = tuple(likeness)
    wanted = _wanted(request, stated, tuple(image or ()))
    if wanted is not None and territory:
        wanted = replace(wanted, territory=territory.upper())
    content = _token(token)
    check = _checked(content, wanted, _keys(keys))
    key = key_id(content) if check.ticket else None
    if json:
        emit(_object(check, key, wanted))
    else:
        out().print("\n".join(plain(one, 400) for one in _sentences(check, key, wanted)))
    return NOT_VALID if check.invalid else 0


def _wanted(
    file: Path | None, stated: dict[str, tuple[str, ...]], images: tuple[Path, ...]
) -> GenerationRequest | None:
    """Return the request to hold the ticket against; None where nothing was said of one."""
    from service.cli.asking import picture_of

    if file is not None and (stated or images):
        raise Refused("--request says all of it; leave the other options of the request out")
    if file is None and "prompt" not in stated:
        if stated or images:
            raise Refused("a request has a prompt: add --prompt, or name its JSON with --request")
        return None
    fields = _fields(file) if file else None
    if fields is None:
        from service.api.fields import Fields

        fields = Fields(stated, {"input_reference": tuple(picture_of(one) for one in images)})
    return _request(fields)


def _fields(file: Path) -> Fields:
    from service.api.fields import read

    with file.open("rb") as stream:
        return read(stream.read(_MAX_REQUEST_BYTES), "application/json")


def _request(fields: Fields) -> GenerationRequest:
    from service import wiring
    from service.api.asked import request_by
    from service.request import Requester

    default = wiring.model(opening.settings()).origin.name
    return request_by(Requester("", ""), fields, "", model=default)


def _token(said: str) -> str:
    from service.ticket import MAX_TOKEN_CHARACTERS

    most = MAX_TOKEN_CHARACTERS + 2
    if said == "-":
        return sys.stdin.read(most).strip()
    if re.match(r"v\d+\..*\.", said):
        return said
    with Path(said).open(encoding="ascii", errors="replace") as file:
        return file.read(most).strip()


def _keys(file: Path | None) -> Sequence[VerifyingKey]:
    from service import wiring
    from service.keys import KeyRing, Purpose
    from service.ticket_keys import keys_from

    if file is not None:
        return keys_from(file.read_bytes())
    folder = opening.settings().home / "keys"
    # Asking for a key makes one where there is none, and that one has signed nothing.
    if not any(folder.glob(f"{Purpose.TICKET}-*.key")):
        raise Refused(
            f"{folder}: no ticket was issued here; name the keys of the house that did with "
            "--keys FILE, from its /v1/policy/ticket_keys"
        )
    return KeyRing(folder, wiring.now).verifying(Purpose.TICKET)


@dataclass(frozen=True, slots=True)
class _Check:
    """What became of a ticket.

    Attributes:
        ticket: None where nobody we know signed it: then nothing in it is worth showing.
        invalid: why it permits nothing, or None.
    """

    ticket: Ticket | None
    invalid: TicketInvalid | None


def _checked(token: str, wanted: GenerationRequest | None, keys: Sequence[VerifyingKey]) -> _Check:
    from service import ticket, wiring

    found: Ticket | None = None
    try:
        found = ticket.signed(token, keys)
        ticket.require_time(found, now=wiring.now())
        if wanted is not None:
            ticket.require_request(found, ticket.by_its_bearer(found, wanted))
    except ticket.TicketInvalid as invalid:
        return _Check(found, invalid)
    return _Check(found, None)


def _object(check: _Check, key: str | None, wanted: GenerationRequest | None) -> JSON:
    return {
        "object": "ticket.check",
        "valid": check.invalid is None,
        "why": check.invalid.word if check.invalid else None,
        "message": str(check.invalid) if check.invalid else None,
        "request_compared": wanted is not None and check.ticket is not None,
        "key": key,
        "ticket": asdict(check.ticket) if check.ticket else None,
    }


def _sentences(check: _Check, key: str | None, wanted: GenerationRequest | None) -> list[str]:
    invalid, found = check.invalid, check.ticket
    said = [f"Not valid ({invalid.word}): {invalid}." if invalid else "Valid."]
    if found is None:
        return said
    named = found.permitted
    said += [
        f"Permits request {named.request} of {named.actor} in {named.project}.",
        f"By decision {found.decision} under policy {found.policy[:16]}….",
        f"From {_moment(found.issued)} until {_moment(found.expires)}.",
        f"Signed with key {key}.",
    ]
    if wanted is None:
        said.append("Not compared with a request: name one with --request or --prompt.")
    return said


def _moment(seconds: int) -> str:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(seconds, UTC).isoformat()
