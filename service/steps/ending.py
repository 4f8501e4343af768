"""Steps 9 to 11: the release is in the log, then it happens, then people are told."""

from sqlalchemy import Connection

from likeness.store import likeness_by_id, wait_for_writers
from rightsholders.store import claims_by_id
from service import jobs
from service.audit.entries import Entry
from service.decision import Stage, Verdict
from service.gates import CONSENT
from service.jobs import Step
from service.steps.back import sealed_path
from service.steps.run import Next, Run, asked, pairs_of, text_of, texts_of
from service.steps.verdicts import concluded, decision_entry, entry_key, judged, settle


def log(run: Run) -> Next:
    """9. Write into the log what is about to be released: its content, manifest and decisions."""
    sealed, made = run.results[Step.SEAL], run.results[Step.GENERATE]
    key = f"release:{run.job.id}"
    entry = Entry(
        key=key,
        type="release.sealed",
        at=run.rooms.clock(),
        request=run.request.id,
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
    """
    settle(run, Step.LOG)
    try:
        return _released(run)
    except ConsentLost:
        # Revoked a moment ago: this time the gates see it.
        return _released(run)


def _released(run: Run) -> Next:
    rooms = run.rooms
    observations = rooms.gates.look(asked(rooms, run.request), now=rooms.clock(), gates=CONSENT)
    decision = judged(run, Stage.RELEASE, observations)
    if decision.verdict is not Verdict.ALLOW:
        return concluded(run, Step.RELEASE, decision, {})
    content = text_of(run.results[Step.SEAL], "sha256")
    rooms.vault.publish(sealed_path(run), content)
    with run.commit(Step.RELEASE) as conn:
        _refuse_lost_consent(run, conn)
        rooms.log.stage(conn, decision_entry(decision, run.request))
        # The point of no return: when this transaction commits, the file can be downloaded.
        jobs.release(conn, run.lease, content, {"decision": decision.id}, rooms.clock())
    rooms.log.settle(entry_key(decision.id))
    return Next.GO


def tell(run: Run) -> Next:
    """11. Put a notice on its way to everybody whose likeness was used or whose work was met."""
    left = run.results[Step.DECIDE]
    with run.commit(Step.TELL) as conn:
        for likeness, grant in pairs_of(left, "granted").items():
            _tell_owner(run, conn, likeness, grant)
        for claim in texts_of(left, "claims"):
            _tell_holder(run, conn, claim)
        jobs.record_step(conn, run.lease, Step.TELL, {}, run.rooms.clock())
    return Next.STOP


class ConsentLost(Exception):
    """Somebody revoked between the last question and the release. Nothing was released."""


def _refuse_lost_consent(run: Run, conn: Connection) -> None:
    """Ask again inside the transaction that releases, with revocations waiting behind it."""
    granted = pairs_of(run.results[Step.DECIDE], "granted")
    if not granted:
        return
    wait_for_writers(conn)
    lost = run.rooms.gates.registry.lost_grants(
        conn, tuple(granted.values()), actor=run.job.actor, now=run.rooms.clock()
    )
    if lost:
        raise ConsentLost(f"{len(lost)} of the permissions of {run.job.id} are gone")


def _tell_owner(run: Run, conn: Connection, likeness: str, grant: str) -> None:
    known = likeness_by_id(conn, likeness)
    if known is None:
        return
    event = {"actor": known.owner, "likeness": likeness, "grant": grant, "job": run.job.id}
    jobs.put(conn, "likeness.used", f"used:{run.job.id}:{likeness}", event, run.rooms.clock())


def _tell_holder(run: Run, conn: Connection, claim: str) -> None:
    known = claims_by_id(conn, [claim]).get(claim)
    if known is None:
        return
    event = {"actor": known.holder, "claim": claim, "job": run.job.id}
    jobs.put(conn, "claim.matched", f"matched:{run.job.id}:{claim}", event, run.rooms.clock())
