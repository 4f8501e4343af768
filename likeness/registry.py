"""The registry: who is enrolled, who agreed to what, and whose face this is."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection

from likeness import permissions, records, store, templates
from likeness.consent import Grant, Likeness, State, Use, checked_grant, checked_handle
from likeness.enrolment import Enrolment, enrolment
from likeness.faces import Face, FaceModel, LikenessError
from likeness.handles import Mention
from likeness.lookout import Lookout
from likeness.mentions import mentions_in
from likeness.recognition import Judge, Sighting
from likeness.records import RecordedUse
from likeness.templates import StoredTemplate
from likeness.thresholds import Calibration
from likeness.vault import Vault


class NoSuchLikeness(LikenessError):
    """No likeness, or no active one, has this id."""


class NoSuchGrant(LikenessError):
    """No grant has this id."""


class HandleTaken(LikenessError):
    """Another active likeness has this handle."""


class AlreadyEnrolled(LikenessError):
    """These photographs look like somebody whom another account enrolled. Whom is not said."""


@dataclass(frozen=True, slots=True)
class Revocation:
    """Proof that a likeness is out of use: when, at which change, how many keys were destroyed."""

    likeness: str
    at: datetime
    change_seq: int
    keys_destroyed: int


class Registry:
    """Enrols, grants, revokes and recognises. Thread-safe; never commits.

    Args:
        faces: the model that `calibration` was measured with.

    Raises:
        CalibrationUnusable: it was measured with another model.
    """

    def __init__(self, faces: FaceModel, vault: Vault, calibration: Calibration) -> None:
        self._lookout = Lookout(faces, vault, calibration)
        self._faces = faces
        self._vault = vault
        self._calibration = calibration

    def enrol(
        self,
        conn: Connection,
        handle: str,
        owner: str,
        photographs: Sequence[NDArray[np.uint8]],
        *,
        now: datetime,
    ) -> Likeness:
        """Enrol the one person whom all photographs show; five or more are advised.

        Raises:
            HandleNotPossible, HandleTaken: choose another.
            PhotographCount, PhotographRefused, PictureUnusable: send others.
            AlreadyEnrolled: a person must look at it.
        """
        checked_handle(handle)
        return self.admit(conn, handle, owner, self.prepare(photographs), now=now)

    def prepare(self, photographs: Sequence[NDArray[np.uint8]]) -> Enrolment:
        """Return the templates of the one person whom all photographs show; asks no database.

        It takes long; `warm` comes after it, then `admit`.

        Raises:
            PhotographCount, PhotographRefused, PictureUnusable: send others.
        """
        return enrolment(photographs, self._faces, self._calibration)

    def warm(self, conn: Connection) -> None:
        """Open now the templates that the next question would open: before a write, not in it.

        Raises:
            IndexUnusable, TemplateDamaged, VaultKeyUnusable: nothing could be said either.
        """
        self._lookout.warm(conn)

    def admit(
        self, conn: Connection, handle: str, owner: str, made: Enrolment, *, now: datetime
    ) -> Likeness:
        """Store what `prepare` made, as `enrol` does, for callers that look first, then write.

        Call `warm` first: templates are opened here otherwise, with every other writer waiting.

        Raises:
            HandleNotPossible, HandleTaken, AlreadyEnrolled: as `enrol`.
        """
        checked_handle(handle)
        likeness = Likeness(store.new_id("lik"), handle, owner, State.ACTIVE, now, made.depth)
        # Nobody can take the handle, or enrol this face, between looking and writing.
        store.wait_for_writers(conn)
        self._require_not_another(conn, owner, made)
        if store.active_by_handle(conn, [handle]):
            raise HandleTaken(f"@{handle} is taken; choose another")
        store.add_likeness(conn, likeness)
        for vector in made.templates:
            sealed = self._vault.seal(vector, likeness.id, self._faces.sha256)
            templates.add_template(
                conn, StoredTemplate(store.new_id("tpl"), likeness.id, self._faces.sha256, sealed)
            )
        store.record_change(conn, likeness.id)
        return likeness

    def grant(
        self,
        conn: Connection,
        likeness_id: str,
        to: str,
        *,
        uses: Collection[Use],
        from_at: datetime,
        until_at: datetime,
    ) -> Grant:
        """Permit `to` (an actor, or EVERYONE) to depict a likeness.

        Raises:
            GrantNotPossible: empty, endless or inverted.
            NoSuchLikeness: unknown or revoked.
        """
        grant = checked_grant(
            Grant(store.new_id("grt"), likeness_id, to, frozenset(uses), from_at, until_at)
        )
        store.wait_for_writers(conn)
        self._active(conn, likeness_id)
        records.add_grant(conn, grant)
        store.record_change(conn, likeness_id)
        return grant

    def revoke_grant(self, conn: Connection, grant_id: str, *, now: datetime) -> None:
        """End a grant at once; ending it twice is no error.

        Raises:
            NoSuchGrant: unknown.
        """
        grant = records.grants_by_id(conn, [grant_id]).get(grant_id)
        if grant is None:
            raise NoSuchGrant(f"there is no grant {grant_id}")
        store.wait_for_writers(conn)
        records.mark_grant_revoked(conn, grant_id, now)
        store.record_change(conn, grant.likeness)

    def revoke(self, conn: Connection, likeness_id: str, *, now: datetime) -> Revocation:
        """Take a likeness out of use for good and destroy the keys of its templates.

        It holds for every call, on any connection, that begins after the caller commits.

        Raises:
            NoSuchLikeness: unknown; one that is revoked already is revoked again, harmlessly.
        """
        if store.likeness_by_id(conn, likeness_id) is None:
            raise NoSuchLikeness(f"there is no likeness {likeness_id}")
        store.wait_for_writers(conn)
        store.mark_revoked(conn, likeness_id, now)
        destroyed = templates.shred(conn, likeness_id)
        return Revocation(likeness_id, now, store.record_change(conn, likeness_id).seq, destroyed)

    def require_owner(self, conn: Connection, likeness_id: str, actor: str) -> Likeness:
        """Return a likeness that `actor` owns.

        Raises:
            NoSuchLikeness: unknown or another's; both alike.
        """
        likeness = store.likeness_by_id(conn, likeness_id)
        if likeness is None or likeness.owner != actor:
            raise NoSuchLikeness(f"you have no likeness {likeness_id}")
        return likeness

    def require_granter(self, conn: Connection, grant_id: str, actor: str) -> Grant:
        """Return a grant of a likeness that `actor` owns.

        Raises:
            NoSuchGrant: unknown or another's; both alike.
        """
        grant = records.grants_by_id(conn, [grant_id]).get(grant_id)
        likeness = None if grant is None else store.likeness_by_id(conn, grant.likeness)
        if grant is None or likeness is None or likeness.owner != actor:
            raise NoSuchGrant(f"you have given no grant {grant_id}")
        return grant

    def look(self, picture: NDArray[np.uint8]) -> list[Face]:
        """Return every face in `picture`, largest first; asks nobody whose they are.

        Raises:
            PictureUnusable: not an RGB picture of a usable size.
        """
        return self._faces.find(picture)

    def recognise(
        self,
        conn: Connection,
        faces: Sequence[Face],
        *,
        actor: str,
        handles: Collection[str],
        now: datetime,
    ) -> list[Sighting]:
        """Return for each face of an upload whether somebody in it agreed; one each, in order.

        Args:
            handles: whom the request names; only they can clear a face. Without any, everybody
                whom the actor may depict can.

        Raises:
            IndexUnusable, TemplateDamaged, VaultKeyUnusable: nothing can be said.
        """
        may = permissions.of_request(conn, actor, handles, now)
        return self._lookout.sightings(conn, faces, may, Judge.of_upload)

    def recognise_output(
        self,
        conn: Connection,
        faces: Sequence[Face],
        *,
        actor: str,
        allowed: Collection[str],
        now: datetime,
    ) -> list[Sighting]:
        """Return for each generated face whether it is somebody who did not agree to this job.

        Args:
            allowed: ids of the likenesses this job was permitted; one whose permission has gone
                since counts as not permitted.

        Raises:
            IndexUnusable, TemplateDamaged, VaultKeyUnusable: nothing can be said.
        """
        may = permissions.of_job(conn, actor, allowed, now)
        return self._lookout.sightings(conn, faces, may, Judge.of_output)

    def handles_in(
        self, conn: Connection, text: str, *, actor: str, now: datetime
    ) -> list[Mention]:
        """Return every `@handle` in `text`, in order, and whether `actor` may use it.

        That of a revoked likeness is not granted, with its id, until an active one takes it.
        """
        return mentions_in(conn, text, actor, now)

    def lost_grants(
        self, conn: Connection, grant_ids: Sequence[str], *, actor: str, now: datetime
    ) -> tuple[str, ...]:
        """Return those permissions of a job (as in `Sighting.grant`) that no longer hold."""
        return permissions.lost(conn, grant_ids, actor, Use.FACE, now)

    def record_use(
        self, conn: Connection, likeness_id: str, request_id: str, verdict: str, *, now: datetime
    ) -> RecordedUse:
        """Record that a request asked for a likeness, refused or not, for its owner to see.

        A request is one use: the strictest of its verdicts stays, and when the first came.

        Raises:
            NoSuchVerdict: `verdict` is none of `records.VERDICTS`.
        """
        use = RecordedUse(store.new_id("use"), likeness_id, request_id, verdict, now)
        return records.record_use(conn, use)

    def uses_of(
        self, conn: Connection, likeness_id: str, *, before: datetime, limit: int = 100
    ) -> list[RecordedUse]:
        """Return the last uses of a likeness before a moment, newest first."""
        return records.uses_of(conn, likeness_id, before=before, limit=limit)

    def _active(self, conn: Connection, likeness_id: str) -> Likeness:
        likeness = store.likeness_by_id(conn, likeness_id)
        if likeness is None or likeness.state is not State.ACTIVE:
            raise NoSuchLikeness(f"there is no active likeness {likeness_id}")
        return likeness

    def _require_not_another(self, conn: Connection, owner: str, made: Enrolment) -> None:
        near = self._lookout.resembled(conn, made.templates)
        others = store.active_by_id(conn, near) if near else {}
        if any(likeness.owner != owner for likeness in others.values()):
            raise AlreadyEnrolled("this person is enrolled by another account; ask for a review")
