"""A whole house at small size: everything real except the three big models at their seams."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from filters.finding import Box as Place
from filters.finding import Category, Finding, Surface
from filters.frames import sampled
from filters.normalise import normalise
from generator.model import VideoModel
from generator.scenes.renderer import ScenesRenderer
from generator.shots import Size
from likeness.faces import Box, Face, Quality
from likeness.registry import Registry
from likeness.thresholds import Calibration
from likeness.vault import Vault as TemplateVault
from provenance.seal import Sealer
from rightsholders.register import Claims
from rightsholders.tiers import Tiers
from rightsholders.words import Words
from service.audit.log import AuditLog
from service.certificates import development_identity
from service.database import Database
from service.gates import Gates
from service.ids import new_id
from service.inspection import Inspection
from service.keys import KeyRing, Purpose
from service.media.reading import read_picture
from service.migrations import bring_up_to_date
from service.pipeline import Pipeline
from service.policy_book.book import Book
from service.policy_book.seeding import Seed, Seeding
from service.policy_book.states import Approval, Origin
from service.request import GenerationRequest, Parameters, Reference, Requester
from service.rooms import Rooms, Terms, Workshop
from service.steps.run import Crossing, Side
from service.subjects import SubjectKeys
from service.vault import Vault
from service.wiring import DEFAULT_POLICY, policy

MODEL = "ab" * 32
WRITTEN = Place(0, 4, 8, 40, 12)
CALIBRATION = Calibration("test-1", MODEL, 0.4, 0.6, 300)


@dataclass(slots=True)
class FakeFilters:
    """Finds what the test put in `scores`, and nothing else; breaks with `broken`."""

    scores: dict[Category, float] = field(default_factory=dict)
    broken: Exception | None = None

    def read(self, _text: str, surface: Surface) -> list[Finding]:
        if self.broken is not None:
            raise self.broken
        return [
            Finding(category, self.scores.get(category, 0.001), surface, "filters.text@test")
            for category in (Category.SEXUAL, Category.VIOLENCE)
        ]

    def look(self, frames: object, surface: Surface) -> list[Finding]:
        if self.broken is not None:
            raise self.broken
        return [
            Finding(
                Category.SEXUAL,
                self.scores.get(Category.GORE, 0.0),
                surface,
                "filters.nudity@test",
            )
        ]

    def captions(self, frames: object, surface: Surface) -> list[Finding]:
        if self.broken is not None:
            raise self.broken
        unread = Finding(Category.UNREADABLE, 0.0, surface, "filters.captions@test")
        if Category.HATE not in self.scores:
            return [unread]
        score = self.scores[Category.HATE]
        written = Finding(Category.HATE, score, Surface.CAPTIONS, "filters.text@test", WRITTEN)
        return [written, unread]

    def listen(self, _samples: NDArray[np.float32]) -> list[Finding]:
        if self.broken is not None:
            raise self.broken
        score = self.scores.get(Category.SPEECH, 0.0)
        return [Finding(Category.SPEECH, score, Surface.SOUND, "filters.voice_activity@test")]


@dataclass(slots=True)
class FakeFaces:
    """Sees the faces that a test put in front of it: by the colours of first and last pixel.

    Where they differ, one is in the left half and the other in the right one: a hold is cleared
    for its place, and two people are never in the same.
    """

    version: str = "likeness.dlib@test"
    sha256: str = MODEL
    people: dict[tuple[int, int, int], NDArray[np.float32]] = field(default_factory=dict)

    def find(self, picture: NDArray[np.uint8]) -> list[Face]:
        first, last = (tuple(int(value) for value in picture[at, at]) for at in (0, -1))
        height, width = picture.shape[:2]
        left, right = Box(0, 0, width // 2, height), Box(width // 2, 0, width - width // 2, height)
        places = [(first, left), (last, right)]
        if first == last:
            places = [(first, Box(0, 0, width, height))]
        return [
            Face(box, height, vector, Quality.DECIDES, True, 1.0)
            for (red, green, blue), box in places
            if (vector := self.people.get((red, green, blue))) is not None
        ]


@dataclass(slots=True)
class Clock:
    """A clock that goes on only when told; every reading is a millisecond later."""

    at: datetime = datetime(2026, 11, 21, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.at += timedelta(milliseconds=1)
        return self.at

    def forward(self, **by: float) -> None:
        self.at += timedelta(**by)


@dataclass(slots=True)
class SmallHouse:
    """What a test holds in its hand."""

    rooms: Rooms
    workshop: Workshop
    filters: FakeFilters
    faces: FakeFaces
    clock: Clock

    def pipeline(self, owner: str = "test:1", crossing: Crossing | None = None) -> Pipeline:
        return Pipeline(self.rooms, owner, self.workshop, crossing or _nothing)


def _nothing(_step: object, _side: Side) -> None:
    return None


def a_book(
    database: Database, log: AuditLog, clock: Clock, approval: Approval = Approval.TWO_PEOPLE
) -> Book:
    """Return a book that begins with the packaged policy."""
    book = Book(database, policy, approval=approval)
    Seeding(book, log, clock, Seed(DEFAULT_POLICY.read_bytes(), Origin.PACKAGED)).begin()
    return book


@contextmanager
def a_house(
    home: Path, *, url: str = "", model: VideoModel | None = None, lease_s: float = 30.0
) -> Iterator[SmallHouse]:
    """Yield a house with a real database, log, keys, vault, renderer, codec and seal."""
    clock, filters, faces = Clock(), FakeFilters(), FakeFaces()
    clock.at = datetime.now(UTC)
    database = Database(url or f"sqlite:///{home / 'house.sqlite3'}")
    bring_up_to_date(database)
    keys = KeyRing(home / "keys", clock)
    subjects = SubjectKeys(keys.secrets(Purpose.VAULT))
    vault_keys = {key.id: key.secret for key in keys.secrets(Purpose.VAULT)}
    registry = Registry(faces, TemplateVault(vault_keys), CALIBRATION)
    words = Words(["red", "ball", "green", "floor", "a", "on", "the"])
    with (
        ThreadPoolExecutor(3) as executor,
        AuditLog(
            database, signer=keys.signing(Purpose.LOG), origin="test.local/log",
            subjects=subjects, clock=clock,
        ) as log,
    ):  # fmt: skip
        rooms = Rooms(
            database=database,
            log=log,
            keys=keys,
            subjects=subjects,
            book=a_book(database, log, clock),
            gates=Gates(
                database, filters.read, filters.look, filters.captions, registry,
                Claims(Tiers(words, lambda text: normalise(text).text), words), executor, 5.0,
            ),
            model=model or ScenesRenderer(),
            vault=Vault(home / "vault"),
            normalise=normalise,
            read_picture=read_picture,
            clock=clock,
            terms=Terms(timedelta(seconds=lease_s), timedelta(hours=1)),
        )  # fmt: skip
        signs = development_identity(keys, clock)
        workshop = Workshop(
            Inspection(database, filters.look, filters.captions, filters.listen, sampled, registry),
            Sealer(signs.credentials, signs.root_pem, clock),
            "0.0-test",
        )
        yield SmallHouse(rooms, workshop, filters, faces, clock)
    database.close()


def a_request(
    prompt: str = "a red ball bounces on a green floor",
    *,
    actor: str = "act_maker",
    references: Sequence[Reference] = (),
    handles: Sequence[str] = (),
    key: str = "",
    seconds: int = 1,
) -> GenerationRequest:
    return GenerationRequest(
        id=new_id("req", datetime.now(UTC)),
        requester=Requester(actor, "prj_test"),
        prompt=prompt,
        parameters=Parameters("scenes", Size(256, 256), seconds, Fraction(8), 7),
        references=tuple(references),
        handles=tuple(handles),
        idempotency_key=key,
    )
