"""What is found again is judged again, and nothing is found that might have changed."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from filters.finding import Category, FilterError, Finding, Surface
from likeness.consent import EVERYONE, Use
from rightsholders.claims import Action, Basis, Draft, Kind
from service.acts import Acts
from service.api.metrics import Metrics
from service.database import Database
from service.decision import Gate, Mode, Observation, Purpose, Verdict
from service.decision_cache import LIFE, DecisionCache, lasts
from service.desk import Answer, answer
from service.ids import new_id
from service.media.stills import encoded
from service.policy_book.states import State
from service.request import GenerationRequest, Reference, Requester, ShotAsked
from tests.builders import SmallHouse, a_house, a_request
from tests.service.policy_book.builders import Library, a_document

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
NAME = "Zaubertroll Grimwald"
SEEN = Observation(
    "obs_1", Gate.FILTERS, "filters.text@1", "filters.sexual", "prompt", "prompt", 0.01
)


@dataclass(slots=True)
class Desk:
    """A house with a cache, and how often its filters looked."""

    house: SmallHouse
    looks: int = 0

    def read(self, text: str, surface: Surface) -> list[Finding]:
        self.looks += 1
        return self.house.filters.read(text, surface)

    def ask(self, request: GenerationRequest | None = None, mode: Mode = Mode.ENFORCE) -> Answer:
        asked = request or a_request(f"a song about {NAME}")
        fresh = replace(asked, id=new_id("req", self.house.clock()))
        return answer(self.house.rooms, fresh, mode=mode)

    def acts(self, actor: str = "act_holder") -> Acts:
        return Acts(self.house.rooms, actor, "prj_test")

    def claim(self, *, begins_in_s: float = 0.0) -> str:
        begins = self.house.clock() + timedelta(seconds=begins_in_s)
        draft = Draft(
            "act_holder", "A work", Kind.CHARACTER, Action.BLOCK, Basis.COPYRIGHT, (NAME,), begins
        )
        return self.acts().claim(draft).made.id


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def desk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Desk]:
    url = "" if request.param == "sqlite" else request.getfixturevalue("postgres_url")
    with a_house(tmp_path, url=url) as house:
        made = Desk(house)
        gates = replace(house.rooms.gates, judge_text=made.read)
        house.rooms = replace(house.rooms, gates=gates, cache=DecisionCache(b"k" * 32))
        yield made


def test_a_hit_is_a_decision_of_its_own(desk: Desk) -> None:
    first, again = desk.ask(), desk.ask()

    assert desk.looks == 1
    assert again.decision.observations == first.decision.observations
    assert again.decision.id != first.decision.id
    assert again.receipt.index > first.receipt.index
    assert again.ticket not in {None, first.ticket}
    entry = desk.house.rooms.log.entry(again.receipt.index)
    assert entry.facts["decision"] == again.decision.id
    assert "prompt" in entry.commitments


def test_a_new_claim_counts_at_once(desk: Desk) -> None:
    assert desk.ask().decision.verdict is Verdict.ALLOW

    desk.claim()

    assert desk.ask().decision.verdict is Verdict.BLOCK


def test_a_claim_that_is_withdrawn_counts_no_more_at_once(desk: Desk) -> None:
    claim = desk.claim()
    assert desk.ask().decision.verdict is Verdict.BLOCK

    desk.acts().withdraw(claim)

    assert desk.ask().decision.verdict is Verdict.ALLOW


def test_a_claim_that_begins_by_the_clock_counts_from_then_on(desk: Desk) -> None:
    desk.claim(begins_in_s=10)
    assert [desk.ask().decision.verdict for _ in range(2)] == [Verdict.ALLOW] * 2
    assert desk.looks == 1

    desk.house.clock.forward(seconds=10)

    assert desk.ask().decision.verdict is Verdict.BLOCK


def test_after_a_claim_has_begun_the_next_one_is_waited_for(desk: Desk) -> None:
    claims = desk.house.rooms.gates.claims
    first, second = (desk.house.clock() + timedelta(seconds=ahead) for ahead in (10, 20))
    for number, begins in enumerate((second, first)):
        draft = Draft(
            "act_holder", "A work", Kind.CHARACTER, Action.BLOCK, Basis.COPYRIGHT,
            (f"{NAME} {'secundus' if number else 'primus'}",), begins,
        )  # fmt: skip
        desk.acts().claim(draft)

    with desk.house.rooms.database.reading() as conn:
        found = [
            claims.next_start(conn, now=now)
            for now in (desk.house.clock(), first, second, desk.house.clock())
        ]

    assert found == [first, second, None, first]


def enrolled(desk: Desk, corner: tuple[int, int, int] = (200, 10, 10)) -> tuple[str, bytes]:
    house = desk.house
    vector = np.zeros(128, np.float32)
    vector[0] = 1.0
    grain = np.random.default_rng(1).integers(60, 200, (128, 128, 3)).astype(np.uint8)
    grain[0, 0] = grain[-1, -1] = corner
    house.faces.people[corner] = vector
    with house.rooms.database.transaction() as conn:
        made = house.rooms.gates.registry.enrol(
            conn, "mara", "act_mara", [grain], now=house.clock()
        )
    return made.id, encoded(grain)


def granted(desk: Desk, likeness: str, **ends: float) -> str:
    now = desk.house.clock()
    with desk.house.rooms.database.transaction() as conn:
        grant = desk.house.rooms.gates.registry.grant(
            conn, likeness, EVERYONE, uses=[Use.FACE], from_at=now,
            until_at=now + timedelta(**(ends or {"days": 1})),
        )  # fmt: skip
    return grant.id


def test_who_is_depicted_is_asked_each_time(desk: Desk) -> None:
    likeness, picture = enrolled(desk)
    granted(desk, likeness)
    shown = a_request(references=[Reference("input_reference", picture)], handles=["mara"])
    assert desk.ask(shown).decision.verdict is Verdict.ALLOW

    with desk.house.rooms.database.transaction() as conn:
        desk.house.rooms.gates.registry.revoke(conn, likeness, now=desk.house.clock())

    assert desk.ask(shown).decision.verdict is not Verdict.ALLOW


def test_a_grant_that_ends_by_the_clock_ends(desk: Desk) -> None:
    likeness, picture = enrolled(desk)
    granted(desk, likeness, seconds=30)
    shown = a_request(references=[Reference("input_reference", picture)])
    named = a_request("a film with @mara")
    assert desk.ask(shown).decision.verdict is Verdict.ALLOW
    assert desk.ask(named).decision.verdict is Verdict.ALLOW

    desk.house.clock.forward(seconds=31)

    assert desk.ask(shown).decision.verdict is not Verdict.ALLOW
    assert desk.ask(named).decision.verdict is not Verdict.ALLOW


def test_whoever_enrols_is_seen_at_once(desk: Desk) -> None:
    named = a_request("a film with @mara")
    before = desk.ask(named)

    likeness, _ = enrolled(desk)
    granted(desk, likeness)

    assert before.decision.verdict is not Verdict.ALLOW
    assert desk.ask(named).decision.verdict is Verdict.ALLOW


def test_each_use_of_a_likeness_is_written_down(desk: Desk) -> None:
    likeness, _ = enrolled(desk)
    granted(desk, likeness)
    for _ in range(2):
        desk.ask(a_request("a film with @mara"))

    with desk.house.rooms.database.reading() as conn:
        uses = desk.house.rooms.gates.registry.uses_of(
            conn, likeness, before=desk.house.clock() + timedelta(days=1)
        )

    assert len(uses) == 2


def test_a_hit_is_judged_by_the_policy_of_now(desk: Desk) -> None:
    desk.house.filters.scores[Category.VIOLENCE] = 0.3
    assert desk.ask().decision.verdict is Verdict.HOLD

    rooms = desk.house.rooms
    library = Library(rooms.database, rooms.log, rooms.book, desk.house.clock)
    milder = a_document("milder", **{"hold: 0.15, block: 0.5": "hold: 0.45, block: 0.5"})
    author, other = library.by(library.person()), library.by(library.person())
    sha256 = author.draft(milder).document.ref.sha256
    other.approve(sha256)
    author.promote(sha256, State.LIVE)

    assert desk.ask().decision.verdict is Verdict.ALLOW
    assert desk.looks == 1


def test_what_could_not_be_looked_at_is_looked_at_again(desk: Desk) -> None:
    desk.house.filters.broken = FilterError("gone")
    assert desk.ask().decision.verdict is Verdict.HOLD

    desk.house.filters.broken = None

    assert desk.ask().decision.verdict is Verdict.ALLOW


def test_a_minute_later_the_gates_look_again(desk: Desk) -> None:
    desk.ask()
    desk.house.clock.forward(seconds=LIFE.total_seconds())

    desk.ask()

    assert desk.looks == 2


@pytest.mark.parametrize(
    "other",
    [
        a_request("another prompt"),
        replace(a_request(), requester=Requester("act_other", "prj_test")),
        replace(a_request(), requester=Requester("act_maker", "prj_other")),
        replace(a_request(), territory="DE"),
        replace(a_request(), purpose=Purpose.NEWS),
        replace(a_request(), end_user="u-1"),
        replace(a_request(), handles=("mara",)),
        replace(a_request(), shots=(ShotAsked("a cat"),)),
        replace(a_request(), ancestors=("a cat",)),
        replace(a_request(), references=(Reference("input_reference", b"1"),)),
        replace(a_request(), references=(Reference("input_video", b"1"),)),
    ],
)
def test_any_other_request_has_another_key(other: GenerationRequest) -> None:
    cache = DecisionCache(b"k" * 32)

    assert cache.key(other, (1, 2)) != cache.key(a_request(), (1, 2))


def test_a_change_of_either_register_makes_another_key() -> None:
    cache, request = DecisionCache(b"k" * 32), a_request()

    keys = {cache.key(request, registers) for registers in ((1, 2), (2, 2), (1, 3), (None, 2))}

    assert len(keys) == 4
    assert cache.key(replace(request, id="req_2"), (1, 2)) in keys
    assert DecisionCache(b"l" * 32).key(request, (1, 2)) not in keys


def test_it_keeps_few_and_the_newest() -> None:
    cache = DecisionCache(b"k" * 32, entries=2)
    for key in (b"1", b"2"):
        cache.keep(key, [SEEN], now=NOW, until=None)
    assert cache.found(b"1", NOW)

    cache.keep(b"3", [SEEN], now=NOW, until=None)

    assert [cache.found(key, NOW) is not None for key in (b"1", b"2", b"3")] == [True, False, True]


def test_it_is_bounded_in_bytes() -> None:
    cache = DecisionCache(b"k" * 32, most_bytes=5_000)

    for number in range(50):
        cache.keep(b"%d" % number, [SEEN] * 5, now=NOW, until=None)

    assert sum(cache.found(b"%d" % number, NOW) is not None for number in range(50)) == 2


def test_a_clock_that_was_put_back_finds_nothing() -> None:
    cache = DecisionCache(b"k" * 32)
    cache.keep(b"1", [SEEN], now=NOW, until=None)

    assert cache.found(b"1", NOW - timedelta(seconds=1)) is None


@pytest.mark.parametrize(
    ("gate", "category", "expected"),
    [
        (Gate.LIKENESS, "likeness.none", True),
        (Gate.LIKENESS, "likeness.stranger", False),
        (Gate.LIKENESS, "likeness.handle_unknown", False),
        (Gate.RIGHTS, "rights.none", True),
        (Gate.RIGHTS, "rights.claim", False),
        (Gate.FILTERS, "policy.unavailable", False),
    ],
)
def test_only_what_no_clock_moves_is_kept(gate: Gate, category: str, expected: bool) -> None:
    other = replace(SEEN, gate=gate, category=category)

    assert lasts([SEEN, other]) is expected


def test_hits_and_misses_are_counted_for_prometheus(desk: Desk) -> None:
    for _ in range(3):
        desk.ask()
    metrics = Metrics()
    assert desk.house.rooms.cache is not None

    for _ in range(2):
        metrics.cached(desk.house.rooms.cache.outcomes())

    text = metrics.text().decode()
    assert 'imprimatur_decision_cache_total{outcome="hit"} 2.0' in text
    assert 'imprimatur_decision_cache_total{outcome="miss"} 1.0' in text


def test_a_database_that_stops_is_no_hit(desk: Desk) -> None:
    desk.ask()
    house = desk.house

    class Gone(Database):
        def __init__(self) -> None:
            pass

        def reading(self) -> object:  # type: ignore[override]
            raise ConnectionError

    house.rooms = replace(house.rooms, database=Gone())
    with pytest.raises(ConnectionError):
        desk.ask()
