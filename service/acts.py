"""What people do besides asking: enrol, grant, revoke, claim, withdraw, clear, refuse.

Each act and its log entry are one transaction, and nobody is answered before the entry is in the
tree.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from sqlalchemy import Connection

from likeness.consent import Grant, Likeness, Use
from likeness.registry import Revocation
from rightsholders.claims import Claim, Draft
from rightsholders.register import NoSuchClaim
from service import reviews
from service.audit.entries import Entry, Private
from service.decision import Receipt
from service.ids import new_id
from service.jobs import Json
from service.rooms import Rooms

Done = TypeVar("Done")


@dataclass(frozen=True, slots=True)
class Logged(Generic[Done]):
    """What an act made, and the proof that it is in the log."""

    made: Done
    receipt: Receipt


@dataclass(frozen=True, slots=True)
class _Record:
    type: str
    facts: Mapping[str, Json]
    values: tuple[Private, ...] = ()


def _require_holder(claim: Claim, actor: str) -> None:
    if claim.holder != actor:
        raise NoSuchClaim(f"you have no claim {claim.id}")


@dataclass(frozen=True, slots=True)
class Acts:
    """The acts of one actor, who is named in the log as the one who did them."""

    rooms: Rooms
    actor: str
    project: str = ""

    def enrol(self, handle: str, photographs: Sequence[bytes]) -> Logged[Likeness]:
        """Enrol the actor's own face from photographs; the pictures themselves are not kept.

        Raises:
            MediaError, LikenessError: which photograph cannot be used, and why.
        """
        registry = self.rooms.gates.registry
        pictures = [self.rooms.read_picture(photograph) for photograph in photographs]
        # Looking and opening templates take long; no writer is kept waiting for them.
        made = registry.prepare(pictures)
        with self.rooms.database.reading() as conn:
            registry.warm(conn)

        def act(conn: Connection, now: datetime) -> tuple[Likeness, _Record]:
            likeness = registry.admit(conn, handle, self.actor, made, now=now)
            return likeness, _Record(
                "likeness.enrolled",
                {"likeness": likeness.id, "photographs": len(photographs)},
                (Private("handle", self.actor, handle),),
            )

        return self._logged(act)

    def grant(
        self, likeness: str, to: str, *, from_at: datetime, until_at: datetime
    ) -> Logged[Grant]:
        """Permit `to` to depict a likeness of the actor's own.

        Raises:
            LikenessError: the likeness is unknown, revoked or another's; the grant is endless.
        """
        registry = self.rooms.gates.registry

        def act(conn: Connection, _now: datetime) -> tuple[Grant, _Record]:
            registry.require_owner(conn, likeness, self.actor)
            grant = registry.grant(
                conn, likeness, to, uses={Use.FACE}, from_at=from_at, until_at=until_at
            )
            return grant, _Record(
                "likeness.granted",
                {
                    "grant": grant.id,
                    "likeness": likeness,
                    "to": to,
                    "uses": sorted(use.value for use in grant.uses),
                    "from": int(from_at.timestamp()),
                    "until": int(until_at.timestamp()),
                },
            )

        return self._logged(act)

    def revoke_grant(self, grant: str) -> Logged[str]:
        """End a grant of a likeness of the actor's own; it holds for every later question.

        Raises:
            LikenessError: the grant is unknown or another's.
        """
        registry = self.rooms.gates.registry

        def act(conn: Connection, now: datetime) -> tuple[str, _Record]:
            registry.require_granter(conn, grant, self.actor)
            registry.revoke_grant(conn, grant, now=now)
            return grant, _Record("likeness.grant_revoked", {"grant": grant})

        return self._logged(act)

    def revoke(self, likeness: str) -> Logged[Revocation]:
        """Take a likeness of the actor's own out of use for good, and destroy its templates.

        Raises:
            LikenessError: the likeness is unknown or another's.
        """
        registry = self.rooms.gates.registry

        def act(conn: Connection, now: datetime) -> tuple[Revocation, _Record]:
            registry.require_owner(conn, likeness, self.actor)
            revocation = registry.revoke(conn, likeness, now=now)
            return revocation, _Record(
                "likeness.revoked",
                {"likeness": likeness, "keys_destroyed": revocation.keys_destroyed},
            )

        return self._logged(act)

    def claim(self, draft: Draft) -> Logged[Claim]:
        """File a claim for the actor's own works and put it in force.

        Raises:
            RightsError: an alias is too common, or a field does not fit.
        """
        claims = self.rooms.gates.claims

        def act(conn: Connection, now: datetime) -> tuple[Claim, _Record]:
            filed = claims.file(conn, draft, now=now)
            claim = claims.activate(conn, filed.id, now=now)
            return claim, _Record(
                "claim.in_force",
                {
                    "claim": claim.id,
                    "holder": claim.holder,
                    "kind": claim.kind.value,
                    "action": claim.action.value,
                    "basis": claim.basis.value,
                    "territories": sorted(claim.territories),
                    "aliases": len(claim.aliases),
                },
                (Private("work", claim.holder, claim.work),),
            )

        return self._logged(act)

    def withdraw(self, claim: str) -> Logged[Claim]:
        """Withdraw a claim of the actor's own; it matches nothing from then on.

        Raises:
            RightsError: the claim is unknown, another's, or over.
        """
        claims = self.rooms.gates.claims

        def act(conn: Connection, now: datetime) -> tuple[Claim, _Record]:
            _require_holder(claims.claim(conn, claim), self.actor)
            withdrawn = claims.withdraw(conn, claim, now=now)
            return withdrawn, _Record("claim.withdrawn", {"claim": claim})

        return self._logged(act)

    def clear(self, review: str, note: str) -> Logged[reviews.Outcome]:
        """Let a held job go on where it stopped, or a held request be asked about again.

        Raises:
            ReviewError, NotHeld: there is nothing to clear, or not for this person.
        """
        return self._logged(
            lambda conn, now: self._ruled(reviews.clear(conn, review, self.actor, note, now), note)
        )

    def refuse(self, review: str, note: str) -> Logged[reviews.Outcome]:
        """End a held job, or let the decision stand that holds a request.

        Raises:
            ReviewError, NotHeld: there is nothing to refuse, or not for this person.
        """
        return self._logged(
            lambda conn, now: self._ruled(reviews.refuse(conn, review, self.actor, note, now), note)
        )

    def _ruled(self, outcome: reviews.Outcome, note: str) -> tuple[reviews.Outcome, _Record]:
        return outcome, _Record(
            f"review.{outcome.ruling.value}",
            {
                "review": outcome.review,
                "decision": outcome.decision_id,
                "stage": outcome.stage.value,
                **({"job": outcome.job.id} if outcome.job else {}),
                **({"until": int(outcome.until_at.timestamp())} if outcome.until_at else {}),
            },
            (Private("note", self.actor, note),) if note else (),
        )

    def _logged(self, act: Callable[[Connection, datetime], tuple[Done, _Record]]) -> Logged[Done]:
        now = self.rooms.clock()
        with self.rooms.database.transaction() as conn:
            made, record = act(conn, now)
            key = self.rooms.log.stage(
                conn,
                Entry(
                    key=new_id("act", now),
                    type=record.type,
                    at=now,
                    actor=self.actor,
                    project=self.project,
                    facts=record.facts,
                    values=record.values,
                ),
            )
        return Logged(made, self.rooms.log.settle(key))
