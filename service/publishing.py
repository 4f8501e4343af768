"""A film that somebody's own program made: inspected, sealed, logged and let out, or not at all.

The worker's steps 7 to 11 without a job. The order is the same: nothing appears under its name
before the release is in the log and consent was asked a last time.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from generator.clip import Clip
from generator.model import Origin
from provenance.placing import placed
from provenance.seal import Sealed
from service import ticket
from service.audit.entries import Entry
from service.decision import Decision, MaxSeconds, Observation, Receipt, Stage, Verdict
from service.gates import CONSENT, Asked
from service.keys import Purpose
from service.request import GenerationRequest
from service.rooms import Rooms, Workshop
from service.steps import sealing
from service.steps.ending import RegistersMoving, tell_people
from service.steps.run import asked
from service.steps.sealing import Film, Percent
from service.steps.verdicts import decided, entry_key, entry_of, granted_in, record_uses

_INSPECTING, _OUT = 10, 100
# How often a register may change between the last question and the release; see `ending`.
_QUESTIONS = 5


class NotAsPermitted(Exception):
    """The film is another than the one that was permitted; the message says in what."""


@dataclass(frozen=True, slots=True)
class Permit:
    """A request that was decided, and the ticket that allows it."""

    request: GenerationRequest
    decision: Decision
    ticket: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Made:
    """What came of it: frames and sound, what made them, and where the film is to be."""

    clip: Clip
    origin: Origin
    to: Path


@dataclass(frozen=True, slots=True)
class Judged:
    """A decision with its place in the log."""

    decision: Decision
    receipt: Receipt


@dataclass(frozen=True, slots=True)
class Published:
    """A film that is out.

    Attributes:
        sha256, manifest: of the file; its manifest's label.
        decision: about what came out.
        receipt: of the release.
    """

    path: Path
    sha256: str
    manifest: str
    decision: Decision
    receipt: Receipt


def publish(
    rooms: Rooms, workshop: Workshop, permit: Permit, made: Made, *, beat: Percent
) -> Published | Judged:
    """Return the film that is out, or the decision that kept it in; then there is no file.

    Args:
        beat: told now and then how far it is; what it raises stops everything, and nothing is out.

    Raises:
        TicketInvalid, NotAsPermitted: this is not what was permitted.
        FileExistsError: there is something at `made.to` already.
        ProvenanceError, MediaError, DatabaseUnavailable, AuditError, RegistersMoving, OSError: it
            could not be done; there is no file.
    """
    request = permit.request
    ticket.verify(permit.ticket, request, rooms.keys.verifying(Purpose.TICKET), now=rooms.clock())
    _require_permitted(permit, made.clip)
    if made.to.exists():
        raise FileExistsError(f"{made.to.name} exists")
    looked = _inspected(rooms, workshop, permit, made.clip, beat)
    if looked.decision.verdict is not Verdict.ALLOW:
        return looked
    # In the same folder, so that its name is changed and nothing is copied.
    with TemporaryDirectory(dir=made.to.parent, prefix=".imprimatur-") as folder:
        sealed = _sealed(workshop, request, made, looked.decision, (Path(folder), beat))
        receipt = rooms.log.append(_release(rooms, permit, made.origin, sealed, looked.decision))
        last = _let_out(rooms, request, sealed, made.to, beat)
    if last is not None:
        return last
    return Published(made.to, sealed.sha256, sealed.manifest, looked.decision, receipt)


def _require_permitted(permit: Permit, clip: Clip) -> None:
    wanted = permit.request.parameters
    height, width = clip.frames.shape[1:3]
    if (width, height) != (wanted.size.width, wanted.size.height):
        raise NotAsPermitted(f"size: {wanted.size} was permitted, and this is {width}x{height}")
    if clip.fps != wanted.fps:
        raise NotAsPermitted(f"fps: {wanted.fps} were permitted, and these are {clip.fps}")
    limits = [each.value for each in permit.decision.conditions if isinstance(each, MaxSeconds)]
    seconds = min([wanted.seconds, *limits])
    # Many models make a multiple of eight frames and one more.
    most = round(seconds * clip.fps) + 1
    if not 1 <= len(clip.frames) <= most:
        raise NotAsPermitted(
            f"seconds: {seconds} were permitted, which is 1 to {most} frames, and these are "
            f"{len(clip.frames)}"
        )


def _inspected(
    rooms: Rooms, workshop: Workshop, permit: Permit, clip: Clip, beat: Percent
) -> Judged:
    observations = workshop.inspection.look(
        clip,
        actor=permit.request.requester.actor,
        allowed=granted_in(permit.decision),
        now=rooms.clock(),
        beat=_at(beat, _INSPECTING),
    )
    return _judged(rooms, permit.request, Stage.OUTPUT, observations)


def _judged(
    rooms: Rooms,
    request: GenerationRequest,
    stage: Stage,
    observations: tuple[Observation, ...],
) -> Judged:
    """Return the decision once it is in the log, with the attempt beside each likeness."""
    decision = decided(rooms, request, observations, stage=stage)
    with rooms.database.transaction() as conn:
        rooms.log.stage(conn, entry_of(rooms, decision, request))
        record_uses(rooms, conn, decision)
    return Judged(decision, rooms.log.settle(entry_key(decision.id)))


def _sealed(
    workshop: Workshop,
    request: GenerationRequest,
    made: Made,
    decision: Decision,
    place: tuple[Path, Percent],
) -> Sealed:
    folder, beat = place
    facts = sealing.facts(
        made.origin,
        request,
        title=f"{request.id}.mp4",
        made_at=decision.created_at,
        service_version=workshop.version,
        decision=decision.id,
    )
    wanted = request.parameters
    film = Film(made.clip, facts, wanted.size, wanted.seed)
    return sealing.sealed(workshop.sealer, folder / "sealed.mp4", film, beat=beat)


def _release(
    rooms: Rooms, permit: Permit, origin: Origin, sealed: Sealed, decision: Decision
) -> Entry:
    request = permit.request
    return Entry(
        key=f"release:{request.id}",
        type="release.sealed",
        at=rooms.clock(),
        request=request.id,
        actor=request.requester.actor,
        project=request.requester.project,
        facts={
            "job": request.id,
            "by": "guard",
            "content_sha256": sealed.sha256,
            "bytes": sealed.bytes,
            "manifest": sealed.manifest,
            "checks": [[check.name, check.least] for check in sealed.checks],
            "model": origin.name,
            "model_version": origin.version,
            "model_sha256": origin.sha256,
            "decision": decision.id,
            "allowed_by": permit.decision.id,
        },
    )


def _let_out(
    rooms: Rooms, request: GenerationRequest, sealed: Sealed, to: Path, beat: Percent
) -> Judged | None:
    """Ask for consent a last time and let the film out; None, or the decision that keeps it in."""
    opened = asked(rooms, request)
    for _ in range(_QUESTIONS):
        with rooms.database.reading() as conn:
            before = rooms.gates.registers(conn)
        last = _consent(rooms, opened)
        if last.decision.verdict is not Verdict.ALLOW:
            return last
        if _is_out(rooms, sealed, to, (last.decision, before, beat)):
            return None
    raise RegistersMoving(request.id)


def _consent(rooms: Rooms, opened: Asked) -> Judged:
    observations = rooms.gates.look(opened, now=rooms.clock(), gates=CONSENT)
    return _judged(rooms, opened.request, Stage.RELEASE, observations)


_Last = tuple[Decision, tuple[object, object], Percent]


def _is_out(rooms: Rooms, sealed: Sealed, to: Path, last: _Last) -> bool:
    """Give the film its name if no register has moved since; others wait to move them meanwhile."""
    decision, before, beat = last
    is_placed = is_told = False
    try:
        with rooms.database.transaction() as conn:
            if rooms.gates.locked_registers(conn) != before:
                return False
            tell_people(conn, decision, job=decision.request_id, now=rooms.clock())
            beat(_OUT)
            # The point of no return: from here on anybody can open it.
            placed(sealed.path, to)
            is_placed = True
        is_told = True
    finally:
        # The people concerned could not be told: then it was not published either.
        if is_placed and not is_told:
            to.unlink(missing_ok=True)
    return True


def _at(beat: Percent, percent: int) -> Callable[[], None]:
    return lambda: beat(percent)
