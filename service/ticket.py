"""A signed, expiring permission to generate exactly one request, and nothing else.

A token is `v1.<key id>.<payload>.<signature>`: the payload is JSON and the
signature Ed25519 over `impr/ticket/v1` and everything before it, both in base64url without
padding. The worker checks it against the request it is about to generate.
"""

import base64
import binascii
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime, timedelta

import msgspec
import rfc8785

from service.decision import Decision, Mode, Purpose, Verdict
from service.keys import SigningKey, VerifyingKey
from service.request import GenerationRequest, Requester

_DOMAIN = b"impr/ticket/v1\n"
# A ticket with 4 references, 16 handles and 16 indexes is under 4 kB.
MAX_TOKEN_CHARACTERS = 16_384
LEEWAY = timedelta(seconds=5)
"""How far two machines' clocks may differ."""


class TicketError(Exception):
    """Base of everything this module raises."""


class NotAllowed(TicketError):
    """A ticket was asked for that no decision permits."""


class TicketInvalid(TicketError):
    """This token permits nothing. `word` says why, to programs."""

    word = "invalid"


class TicketMalformed(TicketInvalid):
    """Not a token of ours."""

    word = "malformed"


class TicketKeyUnknown(TicketInvalid):
    """Signed with a key that is not in the key ring."""

    word = "key_unknown"


class TicketForged(TicketInvalid):
    """The signature is not that of the key it names."""

    word = "forged"


class TicketExpired(TicketInvalid):
    """Its time is over: decide again."""

    word = "expired"


class TicketTooEarly(TicketInvalid):
    """Issued in the future: a clock is wrong."""

    word = "too_early"


class TicketForAnother(TicketInvalid):
    """It permits another request than this one. The message names the first field that differs."""

    word = "for_another"


@dataclass(frozen=True, slots=True)
class Permitted:
    """The request as a ticket names it: everything that decides what is generated, and for whom.

    Attributes:
        prompt, parameters: SHA-256, hex.
        shots, end_user, ancestors: likewise, and empty where there is none.
        references: SHA-256 of each one's kind, place and content, hex, in order.
    """

    request: str
    actor: str
    project: str
    territory: str
    prompt: str
    references: tuple[str, ...]
    parameters: str
    handles: tuple[str, ...] = field(repr=False)
    purpose: str = Purpose.UNSTATED.value
    shots: str = ""
    end_user: str = ""
    ancestors: str = ""


@dataclass(frozen=True, slots=True)
class Ticket:
    """What is permitted, by which decision, until when.

    Attributes:
        policy: SHA-256 of the policy document, hex.
        indexes: checkpoints of the indexes that were asked, such as `claims:18231`, sorted.
        issued, expires: whole seconds since 1970, UTC; valid from `issued` until `expires`.
    """

    permitted: Permitted
    decision: str
    policy: str
    indexes: tuple[str, ...]
    issued: int
    expires: int

    @property
    def expires_at(self) -> datetime:
        """When it ends."""
        return datetime.fromtimestamp(self.expires, UTC)


@dataclass(frozen=True, slots=True)
class Allowance:
    """What a ticket keeps of the decision that allows it; made by `allowance`.

    Attributes:
        request, decision: ids.
        policy: SHA-256 of the policy document, hex.
        indexes: checkpoints of the indexes that were asked, sorted.
    """

    request: str
    decision: str
    policy: str
    indexes: tuple[str, ...]


def allowance(decision: Decision) -> Allowance:
    """Return what `decision` allows.

    Raises:
        NotAllowed: it is not an enforced `allow`.
    """
    if decision.verdict is not Verdict.ALLOW or decision.mode is not Mode.ENFORCE:
        raise NotAllowed(f"the decision says {decision.verdict.word} in mode {decision.mode}")
    return Allowance(
        decision.request_id,
        decision.id,
        decision.policy.sha256,
        tuple(sorted({seen.index for seen in decision.observations if seen.index})),
    )


def issue(
    request: GenerationRequest,
    allowed: Allowance,
    key: SigningKey,
    *,
    now: datetime,
    lifetime: timedelta,
) -> str:
    """Return a token that permits exactly `request`, for `lifetime`.

    Raises:
        NotAllowed: another request is allowed, or `lifetime` is not at least a second.
    """
    if allowed.request != request.id:
        raise NotAllowed("the decision is about another request")
    if lifetime < timedelta(seconds=1):
        raise NotAllowed("a ticket lasts at least a second")
    issued = int(now.timestamp())
    ticket = Ticket(
        permitted=_permitted(request),
        decision=allowed.decision,
        policy=allowed.policy,
        indexes=allowed.indexes,
        issued=issued,
        expires=issued + int(lifetime.total_seconds()),
    )
    content = f"v1.{key.id}.{_encoded(_payload(ticket))}"
    return f"{content}.{_encoded(key.sign(_DOMAIN + content.encode()))}"


def verify(
    token: str,
    request: GenerationRequest,
    keys: Sequence[VerifyingKey],
    *,
    now: datetime,
    leeway: timedelta = LEEWAY,
) -> Ticket:
    """Return the ticket if it permits exactly `request` now.

    Args:
        leeway: how far two machines' clocks may differ.

    Raises:
        TicketInvalid: one of its leaves says why not.
    """
    ticket = signed(token, keys)
    require_time(ticket, now=now, leeway=leeway)
    require_request(ticket, request)
    return ticket


def signed(token: str, keys: Sequence[VerifyingKey]) -> Ticket:
    """Return the ticket if one of `keys` signed it, whenever and for whatever it is.

    Raises:
        TicketMalformed, TicketKeyUnknown, TicketForged: none did.
    """
    # 1. Its shape, before anything is computed from it.
    content, key_id, payload, signature = _parts(token)
    # 2. The signature, before anything in it is believed.
    key = next((known for known in keys if known.id == key_id), None)
    if key is None:
        raise TicketKeyUnknown("the key that signed it is not in the key ring")
    if not key.verifies(signature, _DOMAIN + content.encode()):
        raise TicketForged("the signature does not match")
    return _read(payload)


def require_time(ticket: Ticket, *, now: datetime, leeway: timedelta = LEEWAY) -> None:
    """Return if `ticket` is valid now.

    Raises:
        TicketTooEarly, TicketExpired: it is not yet, or not any more.
    """
    if now + leeway < datetime.fromtimestamp(ticket.issued, UTC):
        raise TicketTooEarly("it was issued in the future: set the clocks")
    if now - leeway >= ticket.expires_at:
        raise TicketExpired(f"it ended at {ticket.expires_at.isoformat()}")


def require_request(ticket: Ticket, request: GenerationRequest) -> None:
    """Return if `ticket` permits exactly `request`, field by field.

    Raises:
        TicketForAnother: it does not.
    """
    wanted = _permitted(request)
    for part in fields(Permitted):
        if getattr(ticket.permitted, part.name) != getattr(wanted, part.name):
            raise TicketForAnother(f"{part.name} differs from what was permitted")


def by_its_bearer(ticket: Ticket, request: GenerationRequest) -> GenerationRequest:
    """Return `request` as that of whoever `ticket` names: a gateway knows nobody else."""
    named = ticket.permitted
    return replace(request, id=named.request, requester=Requester(named.actor, named.project))


def key_id(token: str) -> str:
    """Return the id of the key that a token says it is signed with.

    Raises:
        TicketMalformed: it is no token.
    """
    return _parts(token)[1]


def _permitted(request: GenerationRequest) -> Permitted:
    # All but the idempotency key, which says nothing about what is generated.
    made = request.parameters
    # All as text: a seed may exceed the 53 bits of a JSON number, and fps is a fraction.
    parameters = [made.model, str(made.size), str(made.seconds), str(made.fps), str(made.seed)]
    shots = [[one.prompt, one.seconds] for one in request.shots]
    before = list(request.ancestors)
    return Permitted(
        request=request.id,
        actor=request.requester.actor,
        project=request.requester.project,
        territory=request.territory,
        prompt=_sha256(request.prompt.encode()),
        references=tuple(
            _sha256(rfc8785.dumps([one.kind.value, one.param, one.sha256]))
            for one in request.references
        ),
        parameters=_sha256(rfc8785.dumps(parameters)),
        handles=request.handles,
        purpose=request.purpose.value,
        shots=_sha256(rfc8785.dumps(shots)) if shots else "",
        end_user=_sha256(request.end_user.encode()) if request.end_user else "",
        ancestors=_sha256(rfc8785.dumps(before)) if before else "",
    )


def _payload(ticket: Ticket) -> bytes:
    return msgspec.json.encode(ticket, order="sorted")


def _parts(token: str) -> tuple[str, str, bytes, bytes]:
    if len(token) > MAX_TOKEN_CHARACTERS or not token.isascii():
        raise TicketMalformed("too long, or not ASCII")
    content, _, signature = token.rpartition(".")
    version, *rest = content.split(".")
    if version != "v1" or len(rest) != 2:
        raise TicketMalformed("not v1.<key id>.<payload>.<signature>")
    return content, rest[0], _decoded(rest[1]), _decoded(signature)


def _read(payload: bytes) -> Ticket:
    try:
        parts = json.loads(payload)
        permitted = dict(parts.pop("permitted"))
        ticket = Ticket(
            permitted=Permitted(
                references=tuple(permitted.pop("references")),
                handles=tuple(permitted.pop("handles")),
                **permitted,
            ),
            indexes=tuple(parts.pop("indexes")),
            issued=int(parts.pop("issued")),
            expires=int(parts.pop("expires")),
            **parts,
        )
    except (ValueError, TypeError, KeyError, AttributeError):
        raise TicketMalformed("the payload is not a ticket") from None
    return ticket


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def _decoded(text: str) -> bytes:
    try:
        content = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except binascii.Error:
        raise TicketMalformed("not base64url") from None
    # One text for one token: the last character has bits that decoding would ignore.
    if _encoded(content) != text:
        raise TicketMalformed("not canonical base64url")
    return content
