"""Steps 5 to 8: a worker checks a permitted job again, makes its film, looks at it and seals it."""

from functools import partial
from pathlib import Path

from generator.clip import Clip, kept, open_clip
from generator.model import DigitalSource, Origin, Progress
from provenance.facts import Facts
from service import jobs, ticket
from service.decision import Stage, Verdict
from service.jobs import Fields, Step
from service.rooms import Workshop
from service.steps import permission, sealing
from service.steps.left import pairs_of, text_of
from service.steps.run import Next, Run, StepDamaged, shot_of
from service.steps.sealing import Film
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
    made, name = run.request.parameters, f"sealed-{run.lease.fence}.mp4"
    sealed = sealing.sealed(
        _workshop(run).sealer,
        run.rooms.vault.workbench(run.job.id) / name,
        Film(_clip(run), _facts(run), made.size, made.seed),
        beat=partial(run.beat, Step.SEAL),
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


def _facts(run: Run) -> Facts:
    made = run.results[Step.GENERATE]
    origin = Origin(
        text_of(made, "made_by"),
        text_of(made, "version"),
        DigitalSource(text_of(made, "source")),
        text_of(made, "weights"),
    )
    return sealing.facts(
        origin,
        run.request,
        title=f"{run.job.id}.mp4",
        # The moment of admission, so that sealing again after a crash says the same.
        made_at=run.job.admitted_at,
        service_version=_workshop(run).version,
        decision=text_of(run.results[Step.INSPECT], "decision"),
    )
