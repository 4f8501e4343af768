"""The four stories of `imprimatur demo`, each on real models, each with its proofs checked."""

from __future__ import annotations

import importlib.util
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from service.cli import asking, shown
from service.cli.asking import Asked
from service.cli.errors import Refused
from service.cli.proof import Proof, checked, of_decision
from service.cli.terminal import JSON

if TYPE_CHECKING:
    from service.audit.log import AuditLog
    from service.jobs import Job
    from service.request import Requester
    from service.wiring import House

FILM_PROMPT = "a red ball bounces on a wooden floor while it rains"
REFUSED_PROMPT = "two naked people having sex on a beach"
WORK = "Zorbling the Moonfox"
WORK_PROMPT = "Zorbling the Moonfox dances in the rain"
PICTURE_PROMPT = "a red ball bounces on a green floor"
HANDLE = "astronaut"


@dataclass(frozen=True, slots=True)
class Beat:
    """One moment of a story.

    Attributes:
        wanted, came: verdicts or states, as told and as it was.
        proof: that the log has it.
        facts: for `--json`.
    """

    title: str
    wanted: str
    came: str
    lines: tuple[str, ...]
    proof: Proof
    facts: JSON = field(default_factory=dict)

    @property
    def as_told(self) -> bool:
        """Whether it came out as it should."""
        return self.wanted == self.came


@dataclass(frozen=True, slots=True)
class Stage:
    """Where the stories play.

    Attributes:
        folder: gets the film and the frame.
        watch: told how far the film is, 0..100.
    """

    house: House
    folder: Path
    maker: Requester
    watch: Callable[[str, int], None]


def film(stage: Stage) -> Iterator[Beat]:
    """An allowed prompt becomes a released, sealed and verified film with sound."""
    from service.cli.making import kept, made
    from service.jobs import State

    started = time.monotonic()
    asked = Asked(FILM_PROMPT, size="640x360", seconds=3, fps=24, seed=7)
    rooms = stage.house.rooms

    def watch(job: Job) -> None:
        stage.watch(job.stage or job.state.value, job.percent)

    job = made(stage.house.workshop(), asking.checked(asked).request(rooms, stage.maker), watch)
    if job.state is not State.RELEASED:
        yield _not_released(stage, job)
        return
    target = stage.folder / "film.mp4"
    kept(rooms, job, target)
    seconds = round(time.monotonic() - started, 1)
    yield _released(stage, job, target, seconds)
    yield _examined(stage, job, target)


def refused(stage: Stage) -> Iterator[Beat]:
    """The filters block a prompt before anything is made."""
    yield _asked(stage, "The filters refuse a prompt", "block", Asked(REFUSED_PROMPT))


def claimed(stage: Stage) -> Iterator[Beat]:
    """A work is asked for freely until its holder files a claim."""
    from rightsholders.claims import Action, Basis, Draft, Kind
    from service import accounts
    from service.acts import Acts

    rooms = stage.house.rooms
    yield _asked(stage, f"“{WORK}”, before anybody claims it", "allow", Asked(WORK_PROMPT))
    with rooms.database.transaction() as conn:
        holder = accounts.create_actor(conn, "the holder of an invented work", rooms.clock()).id
    done = Acts(rooms, holder, stage.maker.project).claim(
        Draft(
            holder=holder,
            work=WORK,
            kind=Kind.CHARACTER,
            action=Action.BLOCK,
            basis=Basis.COPYRIGHT,
            aliases=(WORK,),
            valid_from_at=rooms.clock(),
        )
    )
    yield _act(
        rooms.log, done.receipt.index, "Its holder files a claim (the work is invented)",
        "claim.in_force", claim=done.made.id,
    )  # fmt: skip
    yield _asked(stage, "The same prompt, now claimed", "block", Asked(WORK_PROMPT))


def consented(stage: Stage) -> Iterator[Beat]:
    """A face waits for consent, is allowed with it, and refused again without.

    The photograph of the enrolment and that of the request are the same: this shows how consent
    works, and nothing about how well faces are recognised.
    """
    from service import accounts
    from service.acts import Acts

    rooms, photograph = stage.house.rooms, _photograph()
    asked = Asked(PICTURE_PROMPT, images=(photograph,))
    named = Asked(PICTURE_PROMPT, images=(photograph,), likenesses=(HANDLE,))
    yield _asked(stage, "A photograph of somebody unknown", "hold", asked)
    with rooms.database.transaction() as conn:
        owner = accounts.create_actor(conn, "the person in the photograph", rooms.clock()).id
    acts = Acts(rooms, owner, stage.maker.project)
    enrolled = acts.enrol(HANDLE, [photograph.read_bytes()])
    likeness = enrolled.made.id
    yield _act(
        rooms.log, enrolled.receipt.index, f"An account that stands for her enrols as @{HANDLE}",
        "likeness.enrolled", likeness=likeness,
    )  # fmt: skip
    now = rooms.clock()
    given = acts.grant(likeness, stage.maker.actor, from_at=now, until_at=now + timedelta(days=30))
    yield _act(
        rooms.log, given.receipt.index, "It grants the maker the likeness for 30 days",
        "likeness.granted", grant=given.made.id,
    )  # fmt: skip
    yield _asked(stage, f"The same photograph, with @{HANDLE} named", "allow", named)
    taken = acts.revoke_grant(given.made.id)
    yield _act(
        rooms.log, taken.receipt.index, "It takes the grant back", "likeness.grant_revoked",
        grant=given.made.id,
    )  # fmt: skip
    yield _asked(stage, "The same photograph once more", "block", named)


def _asked(stage: Stage, title: str, wanted: str, asked: Asked) -> Beat:
    from service.decision import Mode
    from service.desk import answer

    started = time.monotonic()
    rooms = stage.house.rooms
    given = answer(rooms, asking.checked(asked).request(rooms, stage.maker), mode=Mode.ENFORCE)
    proof = of_decision(rooms.log, given.decision, given.receipt)
    facts = shown.as_json(given, asked.prompt, proof)
    facts["ticket"] = None  # nothing is generated with it here
    return Beat(
        title,
        wanted,
        given.decision.verdict.word,
        tuple(shown.as_text(given, asked.prompt, proof).split("\n")),
        proof,
        {"decision": facts, "seconds": round(time.monotonic() - started, 2)},
    )


def _act(log: AuditLog, index: int, title: str, type_: str, **facts: object) -> Beat:
    proof = checked(log, index, **facts)
    return Beat(title, type_, proof.type, (proof.words(),), proof, dict(facts))


def _not_released(stage: Stage, job: Job) -> Beat:

    rooms = stage.house.rooms
    proof = (
        checked(rooms.log, rooms.log.entry_by_key(f"release:{job.id}").index)
        if (job.blob_sha256)
        else _last_decision(rooms.log, job)
    )
    return Beat(
        "The film was not released",
        "released",
        job.state.value,
        (f"{job.error_message or job.state.value}",),
        proof,
        {"job": job.id},
    )


def _last_decision(log: AuditLog, job: Job) -> Proof:
    from service.audit.reading import EntryFilter

    entries = log.entries(EntryFilter(type="decision.made", request=job.request_id, limit=1))
    return checked(log, entries[0].index)


def _released(stage: Stage, job: Job, target: Path, seconds: float) -> Beat:
    log = stage.house.rooms.log
    proof = checked(
        log, log.entry_by_key(f"release:{job.id}").index, content_sha256=job.blob_sha256
    )
    lines = (
        f"“{FILM_PROMPT}” became {target}, {target.stat().st_size} bytes, in {seconds} s.",
        f"SHA-256 {job.blob_sha256}",
        proof.words(),
    )
    facts = {
        "job": job.id,
        "path": str(target),
        "bytes": target.stat().st_size,
        "sha256": job.blob_sha256,
        "seconds": seconds,
    }
    return Beat("A film is released", "released", job.state.value, lines, proof, facts)


def _examined(stage: Stage, job: Job, target: Path) -> Beat:
    """Ask the file itself, as anybody could who was handed it."""
    import numpy as np

    from provenance.examine import Anchors, examine
    from provenance.manifest import read
    from provenance.report import State
    from service import wiring
    from service.media.reading import read_clip
    from service.media.stills import encoded

    rooms = stage.house.rooms
    root = wiring.identity(stage.house.settings, rooms.keys, rooms.clock).root_pem
    found, report = examine(target, Anchors(development_pem=root)), read(target, root)
    frame = stage.folder / "frame.png"
    with TemporaryDirectory(prefix="imprimatur-decoded-") as decoded:
        clip = read_clip(target, Path(decoded))
        frame.write_bytes(encoded(np.ascontiguousarray(clip.frames[len(clip.frames) // 2])))
        loudness = float(np.sqrt(np.mean(np.square(clip.samples)))) if clip.has_sound else 0.0
    good = report is not None and report.state is State.TRUSTED and loudness > 0.0
    proof = checked(rooms.log, rooms.log.entry_by_key(f"release:{job.id}").index)
    heard = f"{clip.samples.shape[0] / 48_000:.2f} s of sound, RMS {loudness:.3f}"
    shown_in = f"{len(clip.frames)} frames and {heard}; one frame is {frame}."
    lines = (found.headline, *found.details, shown_in)
    facts = {
        "origin": found.origin.value,
        "headline": found.headline,
        "manifest": report.label if report else None,
        "state_under_development_root": report.state.value if report else None,
        "validator": found.validator,
        "frames": len(clip.frames),
        "sound_rms": round(loudness, 4),
        "frame": str(frame),
    }
    return Beat(
        "The file is asked where it comes from", "verified", "verified" if good else "not verified",
        lines, proof, facts,
    )  # fmt: skip


def _photograph() -> Path:
    """Return a photograph that an installed package brings along; the package is not imported."""
    for package, inside in (
        ("skimage", "data/astronaut.png"),
        ("insightface", "data/images/t1.jpg"),
    ):
        spec = importlib.util.find_spec(package)
        for root in (spec.submodule_search_locations or []) if spec else []:
            if (path := Path(root) / inside).exists():
                return path
    raise Refused("the demo's photograph is missing: pip install scikit-image")
