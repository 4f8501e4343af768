"""A small house with people in it, and the offices that keep its records."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sqlalchemy import Connection, select

from service import accounts
from service.accounts import NewKey, Role
from service.acts import Acts
from service.audit.entries import Entry, Private
from service.ids import new_id
from service.media.stills import encoded
from service.records.erasing import Erasing
from service.records.holding import Held, Holding
from service.records.holds import Kind, Target
from service.records.ledger import Ledger
from service.records.words import Keeper
from service.subjects import subject_key
from tests.builders import SmallHouse, a_house

COLOURS = {"mara": (200, 10, 10), "noor": (10, 200, 10)}


@dataclass(slots=True)
class Office:
    house: SmallHouse
    erasing: Erasing
    holding: Holding
    ledger: Ledger
    project: str
    people: dict[str, str]

    def keeper(self, name: str, *, officer: bool = True) -> Keeper:
        return Keeper(self.people[name], self.project, officer)

    def person(self, name: str, project: str = "") -> str:
        now = self.house.clock()
        with self.house.rooms.database.transaction() as conn:
            actor = accounts.create_actor(conn, f"{name} by name", now).id
            key = NewKey(actor, project or self.project, frozenset({Role.CREATOR}), "my laptop")
            accounts.create_key(conn, key, now)
        self.people[name] = actor
        return actor

    def log(self, subject: str, text: str = "xylophonic quokkas", **facts: str) -> int:
        now = self.house.clock()
        entry = Entry(
            key=new_id("ent", now), type="test.said", at=now, actor=subject,
            project=self.project, facts=facts, values=(Private("said", subject, text),),
        )  # fmt: skip
        return self.house.rooms.log.append(entry).index

    def enrol(self, name: str) -> str:
        vector = np.random.default_rng(len(name)).normal(size=128).astype(np.float32)
        vector[sum(name.encode()) % 128] += 40
        self.house.faces.people[COLOURS[name]] = vector / np.linalg.norm(vector)
        frame = np.random.default_rng(5).integers(60, 200, (96, 96, 3)).astype(np.uint8)
        frame[0, 0] = COLOURS[name]
        acts = Acts(self.house.rooms, self.people[name], self.project)
        return acts.enrol(name, [encoded(frame)]).made.id

    def hold(self, target: str, kind: Kind = Kind.SUBJECT) -> Held:
        asked = self.holding.ask(self.keeper("olga"), Target(kind, target), "a court asked")
        return self.holding.confirm(self.keeper("pavel"), asked.hold.id)

    def release(self, hold: str) -> Held:
        self.holding.release(self.keeper("olga"), hold)
        return self.holding.release(self.keeper("pavel"), hold)

    def is_readable(self, index: int) -> bool:
        from service.subjects import SubjectErased

        with self.house.rooms.database.reading() as conn:
            try:
                self.house.rooms.log.disclose(conn, index, "said")
            except SubjectErased:
                return False
        return True

    def has_key(self, subject: str) -> bool:
        with self.house.rooms.database.reading() as conn:
            return alive(conn, subject)


def alive(conn: Connection, subject: str) -> bool:
    found = select(subject_key.c.alive).where(subject_key.c.subject == subject)
    return bool(conn.execute(found).scalar())


@contextmanager
def an_office(home: Path, url: str = "") -> Iterator[Office]:
    """Yield an office with two operators, Olga and Pavel, and a person, Mara."""
    with a_house(home, url=url) as house:
        ledger = Ledger(home)
        erasing = Erasing(house.rooms, ledger)
        with house.rooms.database.transaction() as conn:
            project = accounts.create_project(conn, "ours", house.clock()).id
        office = Office(house, erasing, Holding(house.rooms, erasing), ledger, project, {})
        for name in ("olga", "pavel", "mara"):
            office.person(name)
        yield office
