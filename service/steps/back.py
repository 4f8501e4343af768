"""Steps 5 to 8: a worker checks a permitted job again, makes its film, looks at it and seals it."""

from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from generator.clip import Clip, kept, open_clip
from generator.model import DigitalSource, Origin, Progress
from provenance.facts import Disclosure, Facts, Input, Maker, Oversight
from provenance.seal import Draw
from provenance.visible import TEXT, TEXT_BY_RULE, VisibleMark
from service import jobs, ticket
from service.decision import Stage, Verdict
from service.jobs import Fields, Step
from service.media.headers import picture_header
from service.media.writing import read_lumas, write_mp4
from service.request import GenerationRequest
from service.rooms import Workshop
from service.steps import permission
from service.steps.left import pairs_of, text_of
from service.steps.run import Next, Run, StepDamaged, shot_of
from service.steps.verdicts import concluded, judged, settle


def claim(run: Run) -> Next:
    """5. Hold the ticket against the request, and ask the gates again: things change in a queue.

    A ticket that ran out in line is renewed if the gates still allow: they have just been asked.

    Raises:
        TicketInvalid: it does not permit this request.
    """
    expired = _expired(run)
    observations = run.rooms.gates.look(run.asked, now=run.rooms.clock())
    decision = judged(run, Stage.REQUEST, observations)
    result: Fields = {}
    if expired and decision.verdict is Verdict.ALLOW:
        result = {"ticket": permission.issued(run, ticket.allowance(decision))}
    return concluded(run, Step.CLAIM, decision, result)


def generate(run: Run) -> Next:
    """6. Make frames and sound, in quarantine, in a folder that no other lease writes to.

    Raises:
        Cancelled, NotPermitted, ShotNotPossible, GeneratorUnavailable: as the model says.
    """
    settle(run, Step.CLAIM)
    rooms = run.rooms
    name = str(run.lease.fence)
    folder = rooms.vault.quarantine(run.job.id) / name
    folder.mkdir(mode=0o700, exist_ok=True)
    clip = rooms.model.generate(
        shot_of(run.request, run.asked.pictures),
        permit=partial(permission.permit, run),
        watch=partial(_watch, run),
        folder=folder,
    )
    origin = rooms.model.origin
    result: Fields = {
        "folder": name,
        "kept": kept(folder),
        "frames": len(clip.frames),
        "made_by": origin.name,
        "version": origin.version,
        "source": origin.source.value,
        "weights": origin.sha256,
    }
    with run.commit(Step.GENERATE) as conn:
        jobs.record_step(conn, run.lease, Step.GENERATE, result, rooms.clock())
    run.results[Step.GENERATE] = result
    return Next.GO


def inspect(run: Run) -> Next:
    """7. Ask the same policy about what actually came out."""
    rooms = run.rooms
    observations = _workshop(run).inspection.look(
        _clip(run),
        actor=run.job.actor,
        allowed=pairs_of(run.results[Step.CLAIM], "granted"),
        now=rooms.clock(),
        beat=partial(run.beat, Step.INSPECT, 80),
    )
    return concluded(run, Step.INSPECT, judged(run, Stage.OUTPUT, observations), {})


def seal(run: Run) -> Next:
    """8. Mark, encode, read the marks back, sign, read the manifest back.

    Raises:
        ProvenanceError, MediaError: the file does not carry what it must; nothing is left of it.
    """
    settle(run, Step.INSPECT)
    clip, facts = _clip(run), _facts(run)
    size = run.request.parameters.size
    mark = VisibleMark(
        size.width,
        size.height,
        fps=clip.fps,
        frame_count=len(clip.frames),
        seed=run.request.parameters.seed,
        text=facts.visible_mark,
    )
    name = f"sealed-{run.lease.fence}.mp4"
    sealed = _workshop(run).sealer.seal(
        run.rooms.vault.workbench(run.job.id) / name,
        facts,
        partial(_encode, run, clip),
        partial(_decode, run),
        mark=mark,
    )
    result: Fields = {
        "file": name,
        "sha256": sealed.sha256,
        "bytes": sealed.bytes,
        "manifest": sealed.manifest,
        "checks": [[check.name, check.least] for check in sealed.checks],
    }
    with run.commit(Step.SEAL) as conn:
        jobs.record_step(conn, run.lease, Step.SEAL, result, run.rooms.clock())
    run.results[Step.SEAL] = result
    return Next.GO


def sealed_path(run: Run) -> Path:
    """Return where the sealed film of a job lies until it is released."""
    name = text_of(run.results[Step.SEAL], "file")
    return run.rooms.vault.workbench(run.job.id) / name


def _expired(run: Run) -> bool:
    try:
        permission.verified(run)
    except ticket.TicketExpired:
        return True
    return False


def _watch(run: Run, progress: Progress) -> None:
    run.beat(Step.GENERATE, 5 + 70 * progress.step // max(1, progress.steps))


def _workshop(run: Run) -> Workshop:
    if run.workshop is None:
        raise StepDamaged("this process has no workshop: only a worker makes films")
    return run.workshop


def _clip(run: Run) -> Clip:
    """Return the clip that was made, if it is still that one to the bit."""
    made = run.results[Step.GENERATE]
    folder = run.rooms.vault.quarantine(run.job.id) / text_of(made, "folder")
    if kept(folder) != text_of(made, "kept"):
        raise StepDamaged("the frames are not those that were made")
    return open_clip(folder, run.request.parameters.fps)


def _encode(run: Run, clip: Clip, path: Path, draw: Draw | None) -> None:
    write_mp4(
        path,
        _beating(run, clip.blocks(), 85),
        size=run.request.parameters.size,
        fps=clip.fps,
        samples=np.asarray(clip.samples),
        mark=draw,
    )


def _decode(run: Run, path: Path) -> Iterator[NDArray[np.uint8]]:
    return _beating(run, read_lumas(path), 90)


def _beating(
    run: Run, blocks: Iterable[NDArray[np.uint8]], percent: int
) -> Iterator[NDArray[np.uint8]]:
    for block in blocks:
        run.beat(Step.SEAL, percent)
        yield block


def _facts(run: Run) -> Facts:
    made = run.results[Step.GENERATE]
    origin = Origin(
        text_of(made, "made_by"),
        text_of(made, "version"),
        DigitalSource(text_of(made, "source")),
        text_of(made, "weights"),
    )
    by_rule = origin.source is DigitalSource.BY_RULE
    return Facts(
        title=f"{run.job.id}.mp4",
        maker=Maker(origin.name, origin.version, _source(origin, run.request).value, origin.sha256),
        # The moment of admission, so that sealing again after a crash says the same.
        made_at=run.job.admitted_at.replace(microsecond=0),
        service_version=_workshop(run).version,
        request_id=run.request.id,
        decision_id=text_of(run.results[Step.INSPECT], "decision"),
        disclosure=None if by_rule else _disclosure(origin),
        visible_mark=TEXT_BY_RULE if by_rule else TEXT,
        inputs=_inputs(run.request),
    )


def _source(origin: Origin, request: GenerationRequest) -> DigitalSource:
    """Return the IPTC source type: a renderer that shows somebody's picture made a composite."""
    if origin.source is DigitalSource.BY_RULE and request.references:
        return DigitalSource.COMPOSITE
    return origin.source


def _disclosure(origin: Origin) -> Disclosure:
    return Disclosure("c2pa.types.model.pytorch", origin.name, Oversight.PROMPTED)


def _inputs(request: GenerationRequest) -> tuple[Input, ...]:
    return tuple(
        Input(reference.sha256, picture_header(reference.content).kind.media_type)
        for reference in request.references
    )
