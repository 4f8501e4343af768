"""Appealing, and ruling on appeals: each with its entry in one transaction, answered when logged.

An upheld appeal lifts the codes that refused exactly this request, for a while. It lifts no fixed
rule: there a moderator can only say that the observation was wrong, which the operator has to
mend.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain
from typing import cast

from sqlalchemy import Connection

from service import appeals, jobs, judge, reviews
from service.appeals import (
    LIFTED_FOR,
    TERM,
    Appeal,
    NoSuchAppeal,
    NotAppealable,
    Refused,
    Ruling,
    State,
    TooLate,
)
from service.audit.entries import Entry, Json, Private
from service.audit.errors import LogTampered, NoEntry, Pruned
from service.audit.reading import LoggedEntry
from service.decision import Mode, Receipt, Stage, Verdict
from service.policy_book import UNAVAILABLE, overrides
from service.policy_book.overrides import FIXED, Override
from service.reviews import Review
from service.rooms import Rooms
from service.steps.verdicts import SIGN, entry_key
from service.subjects import SubjectErased

WHY, STATEMENT = "why", "statement"
"""The private values of the entries: what the appellant writes, and what they are answered."""

_REFUSES = frozenset({Verdict.HOLD.word, Verdict.BLOCK.word})


@dataclass(frozen=True, slots=True)
class Done:
    """An appeal as it is now, and the proof that it is in the log."""

    appeal: Appeal
    receipt: Receipt


@dataclass(frozen=True, slots=True)
class Words:
    """What was written; None where it is not there, or was erased.

    Attributes:
        gone: the appellant was erased, or the term of what they wrote is over.
    """

    why: str | None = field(repr=False)
    statement: str | None = field(repr=False)
    gone: bool = False


@dataclass(frozen=True, slots=True)
class Appealing:
    """The appeals of one actor, as appellant or as moderator."""

    rooms: Rooms
    actor: str
    project: str

    def open(self, decision_id: str, why: str) -> Done:
        """Appeal against a decision that refused the actor.

        Raises:
            NoEntry: the log has no such decision about a request of the actor's.
            NotAppealable, TooLate, AlreadyAppealed: it cannot be appealed against.
        """
        entry = self.rooms.log.entry_by_key(entry_key(decision_id))
        if (entry.actor, entry.project) != (self.actor, self.project):
            raise NoEntry("no such decision of yours")
        now = self.rooms.clock()
        if now >= datetime.fromisoformat(entry.at) + TERM:
            raise TooLate(f"the decision is over {TERM.days} days old, and one may appeal no more")
        codes = appealable(entry.facts)
        with self.rooms.database.transaction() as conn:
            reviewed = reviews.of_entry(conn, entry.facts)
            _require_refused(reviewed)
            against = Refused(
                decision_id=decision_id,
                project=self.project,
                actor=self.actor,
                stage=Stage(str(entry.facts["stage"])),
                codes=codes,
                policy=_policy(entry),
                reviewer=reviewed.reviewer if reviewed else "",
                sign=self._sign(conn, entry),
            )
            made = appeals.open_appeal(conn, against, now)
            facts = {**_facts(made), "codes": list(codes)}
            key = self._stage(conn, made, "opened", facts, Private(WHY, self.actor, why), now)
        return Done(made, self.rooms.log.settle(key))

    def uphold(self, appeal: str, statement: str) -> Done:
        """Say that the decision was wrong, and lift what may be lifted of it.

        Raises:
            AppealError: there is none to rule on, or not for this person.
        """
        now = self.rooms.clock()
        refused = self.of_project(appeal).decision_id
        met = self._met(refused)
        with self.rooms.database.transaction() as conn:
            stands = self._to_rule_on(conn, appeal)
            lifted, remaining = self._sorted(conn, stands, met)
            until = now + LIFTED_FOR if lifted else None
            ruling = Ruling(State.UPHELD, self.actor, lifted, remaining, until)
            made = appeals.rule(conn, appeal, ruling, now)
            granted = [
                overrides.grant_override(conn, _override(made, one, now), now)
                for code in lifted
                for one in sorted(met[code])
            ]
            facts: dict[str, Json] = {
                "lifted": list(lifted),
                "remaining": list(remaining),
                "overrides": granted,
                "until": int(until.timestamp()) if until else None,
            }
            key = self._ruled(conn, made, facts, statement, now)
        return Done(made, self.rooms.log.settle(key))

    def dismiss(self, appeal: str, statement: str) -> Done:
        """Let the decision stand, and tell the appellant why.

        Raises:
            AppealError: there is none to rule on, or not for this person.
        """
        now = self.rooms.clock()
        with self.rooms.database.transaction() as conn:
            self._to_rule_on(conn, appeal)
            made = appeals.rule(conn, appeal, Ruling(State.DISMISSED, self.actor), now)
            key = self._ruled(conn, made, {}, statement, now)
        return Done(made, self.rooms.log.settle(key))

    def own(self, appeal: str) -> Appeal:
        """Return an appeal of the actor's own.

        Raises:
            NoSuchAppeal: there is none.
        """
        found = self.of_project(appeal)
        if found.appellant != self.actor:
            raise NoSuchAppeal(appeal)
        return found

    def of_project(self, appeal: str) -> Appeal:
        """Return an appeal of the actor's project, once what became of it is in the log.

        Raises:
            NoSuchAppeal: there is none.
        """
        with self.rooms.database.reading() as conn:
            found = appeals.get(conn, appeal)
        self.rooms.log.drain()
        if found.project != self.project:
            raise NoSuchAppeal(appeal)
        return found

    def _to_rule_on(self, conn: Connection, appeal: str) -> Appeal:
        found = appeals.get(conn, appeal)
        if found.project != self.project:
            raise NoSuchAppeal(appeal)
        appeals.require_judge(found, self.actor)
        return found

    def _met(self, decision_id: str) -> Mapping[str, frozenset[str]]:
        # Pruned, it does not say any more whom and what was met: then nothing is lifted.
        with suppress(Pruned):
            return _met(self.rooms.log.entry_by_key(entry_key(decision_id)).facts)
        return {}

    def _sorted(
        self, conn: Connection, stands: Appeal, met: Mapping[str, frozenset[str]]
    ) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Return which codes an upheld appeal lifts, and which are of fixed rules."""
        policies = [self.rooms.book.standing(conn).policy_for(stands.project, stands.appellant)]
        if (then := self.rooms.book.policy(stands.policy)) is not None:
            policies.append(then)
        remaining = tuple(
            code
            for code in stands.codes
            if code in FIXED or any(policy.is_fixed(code) for policy in policies)
        )
        lifted = tuple(code for code in stands.codes if code not in remaining and code in met)
        # Without the hash nobody knows what to lift it for: its term is over, or it was erased.
        return (lifted if stands.sign else ()), remaining

    def _sign(self, conn: Connection, entry: LoggedEntry) -> str:
        if SIGN not in entry.commitments:
            return ""
        with suppress(SubjectErased):
            return self.rooms.log.disclose(conn, entry.index, SIGN).text
        return ""

    def _ruled(
        self,
        conn: Connection,
        made: Appeal,
        more: Mapping[str, Json],
        statement: str,
        now: datetime,
    ) -> str:
        told = {"actor": made.appellant, "appeal": made.id, "decision": made.decision_id}
        topic = f"appeal.{made.state.value}"
        jobs.put(conn, topic, f"{topic}:{made.id}", told, now)
        # About the appellant, who is told, and may have it erased with the rest.
        said = Private(STATEMENT, made.appellant, statement)
        return self._stage(conn, made, made.state.value, {**_facts(made), **more}, said, now)

    def _stage(
        self,
        conn: Connection,
        made: Appeal,
        act: str,
        facts: Mapping[str, Json],
        said: Private,
        now: datetime,
    ) -> str:
        return self.rooms.log.stage(
            conn,
            Entry(
                key=_key(made.id, opened=made.state is State.OPEN),
                type=f"appeal.{act}",
                at=now,
                actor=self.actor,
                project=self.project,
                facts=facts,
                values=(said,),
            ),
        )


def words_of(rooms: Rooms, found: Appeal) -> Words:
    """Return what was written in an appeal."""
    try:
        why = _said(rooms, _key(found.id, opened=True), WHY)
        if found.state is State.OPEN:
            return Words(why, None)
        return Words(why, _said(rooms, _key(found.id, opened=False), STATEMENT))
    except SubjectErased:
        return Words(None, None, gone=True)


def appealable(facts: Mapping[str, Json]) -> tuple[str, ...]:
    """Return the codes that a decision, as the log has it, can be appealed against for.

    Raises:
        NotAppealable: it refused nobody, or for nothing but that a check could not be made.
    """
    if facts.get("mode") != Mode.ENFORCE.value or facts.get("verdict") not in _REFUSES:
        raise NotAppealable("this decision has refused nobody")
    codes = {str(one["code"]) for one in _objects(facts.get("reasons"))} - {UNAVAILABLE}
    if not codes:
        raise NotAppealable("a check could not be made then: send the request again")
    return tuple(sorted(codes))


def _met(facts: Mapping[str, Json]) -> Mapping[str, frozenset[str]]:
    """Return what there is to lift of each code of a decision, as the log has it."""
    matched = {str(one["id"]): _words(one["matched"]) for one in _objects(facts["observations"])}
    met: dict[str, frozenset[str]] = {}
    for one in _objects(facts["reasons"]):
        code = str(one["code"])
        by = (str(one["observation"]), *_words(one.get("joined", [])))
        lifted = judge.lifting(code, chain.from_iterable(matched[each] for each in by))
        met[code] = met.get(code, frozenset()) | {lifted}
    return met


def _require_refused(reviewed: Review | None) -> None:
    if reviewed is None or reviewed.ruling is reviews.Ruling.REFUSED:
        return
    if reviewed.ruling is reviews.Ruling.OPEN:
        raise NotAppealable(
            f"a person looks at it already ({reviewed.id}): you may appeal if they refuse it"
        )
    raise NotAppealable("a person has cleared it")


def _override(made: Appeal, code: str, now: datetime) -> Override:
    return Override(
        made.project, made.appellant, made.stage, code, made.sign, made.until or now + LIFTED_FOR
    )


def _facts(made: Appeal) -> dict[str, Json]:
    return {"appeal": made.id, "decision": made.decision_id, "stage": made.stage.value}


def _key(appeal: str, *, opened: bool) -> str:
    return f"appeal:{appeal}:{'opened' if opened else 'ruled'}"


def _said(rooms: Rooms, key: str, name: str) -> str:
    index = rooms.log.entry_by_key(key).index
    with rooms.database.reading() as conn:
        return rooms.log.disclose(conn, index, name).text


def _policy(entry: LoggedEntry) -> str:
    policy = entry.facts.get("policy")
    if not isinstance(policy, Mapping):
        raise LogTampered(f"entry {entry.index} is no whole decision")
    return str(policy.get("sha256"))


def _words(value: Json) -> Sequence[str]:
    if not isinstance(value, list):
        raise LogTampered("a decision holds something else than a list of ids")
    return [str(one) for one in value]


def _objects(value: Json) -> Sequence[Mapping[str, Json]]:
    if not isinstance(value, list) or not all(isinstance(one, Mapping) for one in value):
        raise LogTampered("a decision holds something else than a list of reasons")
    return cast("Sequence[Mapping[str, Json]]", value)
