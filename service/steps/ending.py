"""Steps 9 to 11: the release is in the log, then it happens, then people are told."""

from datetime import datetime

from sqlalchemy import Connection

from likeness.store import likeness_by_id
from rightsholders.store import claims_by_id
from service import jobs
from service.audit.entries import Entry
from service.decision import Decision, Stage, Verdict
from service.gates import CONSENT
from service.jobs import Step
from service.steps.back import sealed_path
from service.steps.left import text_of
from service.steps.run import Next, Run
from service.steps.verdicts import (
    claims_in,
    concluded,
    decision_entry,
    entry_key,
    granted_in,
    judged,
    kept,
    settle,
)

# How often a register may change between the last question and the release before we give up
# for now. Asking takes milliseconds, so twice is rare.
_QUESTIONS = 5


class RegistersMoving(Exception):
    """The registers changed each time before the film could be released. Nothing was released."""


def log(run: Run) -> Next:
    """9. Write into the log what is about to be released: its content, manifest and decisions."""
    sealed, made = run.results[Step.SEAL], run.results[Step.GENERATE]
    key = f"release:{run.job.id}"
    entry = Entry(
        key=key,
        type="release.sealed",
        at=run.rooms.clock(),
        request=run.job.request_id,
        actor=run.job.actor,
        project=run.job.project,
        facts={
            "job": run.job.id,
            "content_sha256": text_of(sealed, "sha256"),
            "bytes": sealed["bytes"],
            "manifest": text_of(sealed, "manifest"),
            "checks": sealed["checks"],
            "model": text_of(made, "made_by"),
            "model_version": text_of(made, "version"),
            "model_sha256": text_of(made, "weights"),
            "decision": text_of(run.results[Step.INSPECT], "decision"),
            "allowed_by": text_of(run.results[Step.DECIDE], "decision"),
        },
    )
    with run.commit(Step.LOG) as conn:
        run.rooms.log.stage(conn, entry)
        jobs.record_step(conn, run.lease, Step.LOG, {"entry": key}, run.rooms.clock())
    run.rooms.log.settle(key)
    run.results[Step.LOG] = {"entry": key}
    return Next.GO


def release(run: Run) -> Next:
    """10. Ask for consent a last time; then the file is public. The point of no return.

    Raises:
        VaultError: the file cannot be kept, or is not the one that was sealed.
        RegistersMoving: try again later.
    """
    settle(run, Step.LOG)
    rooms = run.rooms
    content = text_of(run.results[Step.SEAL], "sha256")
    # Nobody is shown it before the transaction below; a worker sweeps it if that never comes.
    rooms.vault.publish(sealed_path(run), content)
    for _ in range(_QUESTIONS):
        with rooms.database.reading() as conn:
            before = rooms.gates.registers(conn)
        observations = rooms.gates.look(run.asked, now=rooms.clock(), gates=CONSENT)
        decision = judged(run, Stage.RELEASE, observations)
        if decision.verdict is not Verdict.ALLOW:
            return concluded(run, Step.RELEASE, decision, {})
        if _released(run, decision, content, before):
            rooms.log.settle(entry_key(decision.id))
            return Next.GO
    raise RegistersMoving(run.job.id)


def tell(run: Run) -> Next:
    """11. What the release put into the outbox is on its way; nothing else is left to do."""
    settle(run, Step.RELEASE)
    with run.commit(Step.TELL) as conn:
        jobs.record_step(conn, run.lease, Step.TELL, {}, run.rooms.clock())
    return Next.STOP


class _Moved(Exception):
    """Rolls the release back: the answer it rests on may be out of date."""


def _released(run: Run, decision: Decision, content: str, before: tuple[object, object]) -> bool:
    """Release if no register has changed since `before`; others wait to change them meanwhile."""
    rooms = run.rooms
    record = kept(decision)
    try:
        with run.commit(Step.RELEASE) as conn:
            _require_unmoved(run, conn, before)
            rooms.log.stage(conn, decision_entry(decision, run.request))
            tell_people(conn, decision, job=run.job.id, now=rooms.clock())
            # The point of no return: when this transaction commits, the file can be downloaded.
            jobs.release(conn, run.lease, content, record, rooms.clock())
    except _Moved:
        return False
    run.results[Step.RELEASE] = record
    return True


def _require_unmoved(run: Run, conn: Connection, before: tuple[object, object]) -> None:
    if run.rooms.gates.locked_registers(conn) != before:
        raise _Moved


def tell_people(conn: Connection, decision: Decision, *, job: str, now: datetime) -> None:
    """Put into the outbox whose likeness is shown and whose work was met, once for each `job`."""
    for likeness, grant in granted_in(decision).items():
        known = likeness_by_id(conn, likeness)
        if known is not None:
            event = {"actor": known.owner, "likeness": likeness, "grant": grant, "job": job}
            jobs.put(conn, "likeness.used", f"used:{job}:{likeness}", event, now)
    for claim, met in claims_by_id(conn, claims_in(decision)).items():
        event = {"actor": met.holder, "claim": claim, "job": job}
        jobs.put(conn, "claim.matched", f"matched:{job}:{claim}", event, now)
