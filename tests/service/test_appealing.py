"""Appeals: whoever was refused says why that is wrong, and somebody else rules on it."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from threading import Barrier, Thread

import pytest

from filters.finding import Category, FilterError, Finding, Surface
from rightsholders.claims import Action, Basis, Draft, Kind
from service import appeals, desk, jobs, notices, reviews
from service.acts import Acts
from service.appealing import Appealing, words_of
from service.appeals import (
    LIFTED_FOR,
    TERM,
    AlreadyAppealed,
    AlreadyRuled,
    Appeal,
    AppealError,
    NoSuchAppeal,
    NotAppealable,
    OwnAppeal,
    State,
    TooLate,
)
from service.audit.errors import NoEntry
from service.decision import Mode, Verdict
from service.desk import Answer
from service.request import GenerationRequest
from service.worker import Worker
from tests.builders import SmallHouse, a_house, a_request

PROJECT = "prj_test"
WHY = "It is a play, and the sword is made of wood."
NO = "The wording asks for injury."


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def house(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SmallHouse]:
    url = request.getfixturevalue("postgres_url") if request.param == "postgres" else ""
    with a_house(tmp_path, url=url) as opened:
        opened.filters.scores[Category.VIOLENCE] = 0.9
        yield opened


def of(house: SmallHouse, actor: str, project: str = PROJECT) -> Appealing:
    return Appealing(house.rooms, actor, project)


def asked(house: SmallHouse, request: GenerationRequest, mode: Mode = Mode.ENFORCE) -> Answer:
    return desk.answer(house.rooms, request, mode=mode)


def refused(house: SmallHouse) -> str:
    given = asked(house, a_request())
    assert given.decision.verdict is Verdict.BLOCK
    return given.decision.id


def appealed(house: SmallHouse) -> Appeal:
    return of(house, "act_maker").open(refused(house), WHY).appeal


def test_an_appeal_waits_for_a_moderator_and_is_in_the_log(house: SmallHouse) -> None:
    done = of(house, "act_maker").open(refused(house), WHY)

    entry = house.rooms.log.entry(done.receipt.index)
    assert (entry.type, entry.actor) == ("appeal.opened", "act_maker")
    assert (entry.facts["appeal"], entry.facts["decision"]) == (
        done.appeal.id,
        done.appeal.decision_id,
    )
    assert WHY.encode() not in entry.leaf
    assert done.appeal.codes == ("filters.violence",)
    with house.rooms.database.reading() as conn:
        assert appeals.list_open(conn, project=PROJECT) == (done.appeal,)
        assert appeals.list_own(conn, PROJECT, "act_maker") == (done.appeal,)
        assert appeals.list_open(conn, project="prj_other") == ()
    assert words_of(house.rooms, done.appeal).why == WHY


def test_an_upheld_appeal_lets_the_same_request_pass_for_a_while(house: SmallHouse) -> None:
    appeal = appealed(house)

    done = of(house, "act_moderator").uphold(appeal.id, "You are right.")

    assert done.appeal.state is State.UPHELD
    assert done.appeal.lifted == ("filters.violence",)
    again = asked(house, a_request())
    assert again.decision.verdict is Verdict.ALLOW
    assert again.ticket is not None
    assert again.decision.cleared
    other = asked(house, a_request("a red ball bounces on a green floor!"))
    assert other.decision.verdict is Verdict.BLOCK
    house.clock.forward(days=LIFTED_FOR.days, seconds=1)
    assert asked(house, a_request()).decision.verdict is Verdict.BLOCK


def claimed(house: SmallHouse, holder: str) -> None:
    names = ("Quandrix the Tideling",)
    draft = Draft(
        holder, "Tideling", Kind.CHARACTER, Action.BLOCK, Basis.COPYRIGHT, names, house.clock()
    )
    Acts(house.rooms, holder).claim(draft)


def test_a_claim_that_is_filed_later_is_not_lifted_with_an_earlier_one(house: SmallHouse) -> None:
    house.filters.scores[Category.VIOLENCE] = 0.01
    request = a_request("Quandrix the Tideling waves")
    claimed(house, "act_holder")
    first = asked(house, request)
    appeal = of(house, "act_maker").open(first.decision.id, WHY).appeal
    of(house, "act_moderator").uphold(appeal.id, "You have a licence of theirs.")
    after = asked(house, request)

    claimed(house, "act_second_holder")

    assert first.decision.verdict is Verdict.BLOCK
    assert after.decision.verdict is Verdict.ALLOW
    assert asked(house, request).decision.verdict is Verdict.BLOCK


def test_a_dismissed_appeal_changes_nothing_and_says_why(house: SmallHouse) -> None:
    appeal = appealed(house)

    done = of(house, "act_moderator").dismiss(appeal.id, NO)

    entry = house.rooms.log.entry(done.receipt.index)
    assert (entry.type, done.appeal.state) == ("appeal.dismissed", State.DISMISSED)
    assert NO.encode() not in entry.leaf
    assert words_of(house.rooms, done.appeal).statement == NO
    assert asked(house, a_request()).decision.verdict is Verdict.BLOCK


@pytest.mark.parametrize("act", ["uphold", "dismiss"])
def test_the_appellant_is_told(house: SmallHouse, act: str) -> None:
    appeal = appealed(house)

    getattr(of(house, "act_moderator"), act)(appeal.id, NO)
    Worker(house.pipeline()).deliver()

    with house.rooms.database.reading() as conn:
        (notice,) = notices.list_for(conn, "act_maker")
    assert notice.kind.value == {"uphold": "appeal_upheld", "dismiss": "appeal_dismissed"}[act]
    assert (notice.subject, notice.about) == (appeal.id, {"decision": appeal.decision_id})


def test_what_a_fixed_rule_refused_is_upheld_in_words_only(house: SmallHouse) -> None:
    house.filters.scores[Category.VIOLENCE] = 0.9
    house.rooms = replace(
        house.rooms, gates=replace(house.rooms.gates, judge_text=_with_minors(house))
    )
    appeal = appealed(house)
    assert appeal.codes == ("filters.minors", "filters.violence")

    done = of(house, "act_moderator").uphold(appeal.id, "It saw what is not there.")

    assert done.appeal.lifted == ("filters.violence",)
    assert done.appeal.remaining == ("filters.minors",)
    again = asked(house, a_request()).decision
    assert [reason.code for reason in again.reasons] == ["filters.minors"]


@pytest.mark.parametrize("mode", [Mode.SHADOW, Mode.DRY_RUN])
def test_only_a_refusal_that_was_enforced_can_be_appealed_against(
    house: SmallHouse, mode: Mode
) -> None:
    rehearsed = asked(house, a_request(), mode).decision
    house.filters.scores.clear()
    allowed = asked(house, a_request()).decision

    for decision in (rehearsed, allowed):
        with pytest.raises(NotAppealable):
            of(house, "act_maker").open(decision.id, WHY)


def test_a_check_that_could_not_be_made_is_asked_for_again_and_not_appealed(
    house: SmallHouse,
) -> None:
    house.filters.broken = FilterError("out of memory")
    decision = asked(house, a_request()).decision
    assert {reason.code for reason in decision.reasons} == {"policy.unavailable"}

    with pytest.raises(NotAppealable):
        of(house, "act_maker").open(decision.id, WHY)


def test_another_persons_refusal_is_none_of_ones_own(house: SmallHouse) -> None:
    decision = refused(house)

    for stranger in (of(house, "act_other"), of(house, "act_maker", "prj_other")):
        with pytest.raises(NoEntry):
            stranger.open(decision, WHY)
        with pytest.raises(NoEntry):
            stranger.open("dec_00000000000000000000000000", WHY)


def test_another_projects_moderator_finds_nothing(house: SmallHouse) -> None:
    appeal = appealed(house)
    stranger = of(house, "act_moderator", "prj_other")

    with pytest.raises(NoSuchAppeal):
        stranger.uphold(appeal.id, NO)
    with pytest.raises(NoSuchAppeal):
        stranger.of_project(appeal.id)
    with pytest.raises(NoSuchAppeal):
        of(house, "act_other").own(appeal.id)


def test_a_decision_is_appealed_against_once_and_within_its_term(house: SmallHouse) -> None:
    appeal = appealed(house)
    later = refused(house)

    with pytest.raises(AlreadyAppealed) as twice:
        of(house, "act_maker").open(appeal.decision_id, WHY)
    assert twice.value.appeal == appeal.id
    house.clock.forward(days=TERM.days, seconds=1)
    with pytest.raises(TooLate):
        of(house, "act_maker").open(later, WHY)


def test_nobody_rules_on_their_own_appeal(house: SmallHouse) -> None:
    appeal = appealed(house)

    for act in (of(house, "act_maker").uphold, of(house, "act_maker").dismiss):
        with pytest.raises(OwnAppeal):
            act(appeal.id, NO)


def test_who_refused_it_before_does_not_rule_on_the_appeal(house: SmallHouse) -> None:
    house.filters.scores[Category.VIOLENCE] = 0.3
    job = house.pipeline().submit(a_request())
    assert job.state is jobs.State.HELD
    with house.rooms.database.reading() as conn:
        (review,) = reviews.list_open(conn)
    with pytest.raises(NotAppealable, match=review.id):
        of(house, "act_maker").open(review.decision_id, WHY)
    Acts(house.rooms, "act_first", PROJECT).refuse(review.id, "")
    appeal = of(house, "act_maker").open(review.decision_id, WHY).appeal

    with pytest.raises(OwnAppeal):
        of(house, "act_first").dismiss(appeal.id, NO)
    of(house, "act_second").uphold(appeal.id, "Fine.")

    assert house.pipeline().submit(a_request()).state is not jobs.State.HELD


def test_of_two_moderators_at_once_one_rules(house: SmallHouse) -> None:
    appeal = appealed(house)
    start = Barrier(2)
    came: list[str] = []

    def rule(number: int) -> None:
        mine = of(house, f"act_{number}")
        start.wait()
        try:
            done = (mine.uphold, mine.dismiss)[number](appeal.id, NO)
            came.append(done.appeal.state.value)
        except AlreadyRuled as late:
            came.append(f"late: {late.state.value}")

    moderators = [Thread(target=rule, args=(number,)) for number in (0, 1)]
    for moderator in moderators:
        moderator.start()
    for moderator in moderators:
        moderator.join()

    first, second = sorted(came, key=lambda one: one.startswith("late"))
    assert second == f"late: {first}"
    ruled = [
        entry.type
        for index in range(house.rooms.log.head()[1].size)
        if (entry := house.rooms.log.entry(index)).type.startswith("appeal.")
    ]
    assert ruled == ["appeal.opened", f"appeal.{first}"]


def test_an_appellant_who_is_erased_leaves_no_words_and_nothing_is_lifted(
    house: SmallHouse,
) -> None:
    appeal = appealed(house)
    with house.rooms.database.transaction() as conn:
        house.rooms.subjects.destroy(conn, "act_maker")
        assert appeals.forget(conn, "act_maker") == 1

    assert words_of(house.rooms, appeal).gone
    done = of(house, "act_moderator").uphold(appeal.id, "Right.")
    assert (done.appeal.lifted, done.appeal.until) == ((), None)
    assert asked(house, a_request()).decision.verdict is Verdict.BLOCK


def test_an_appeal_after_an_erasure_lifts_nothing(house: SmallHouse) -> None:
    decision = refused(house)
    with house.rooms.database.transaction() as conn:
        house.rooms.subjects.destroy(conn, "act_maker")

    appeal = of(house, "act_maker").open(decision, WHY).appeal

    assert of(house, "act_moderator").uphold(appeal.id, "Right.").appeal.lifted == ()


def test_appeals_go_on_after_a_restart(tmp_path: Path) -> None:
    with a_house(tmp_path) as before:
        before.filters.scores[Category.VIOLENCE] = 0.9
        appeal = appealed(before)

    with a_house(tmp_path) as after:
        after.filters.scores[Category.VIOLENCE] = 0.9
        of(after, "act_moderator").uphold(appeal.id, "Right.")

        assert asked(after, a_request()).decision.verdict is Verdict.ALLOW


def test_every_error_of_an_appeal_has_a_word_of_its_own() -> None:
    words = [kind.word for kind in AppealError.__subclasses__() if "word" in vars(kind)]

    assert len(set(words)) == len(words) == 4


def test_pages_show_every_appeal_once_longest_waiting_first(house: SmallHouse) -> None:
    made = [appealed(house) for _ in range(3)]

    with house.rooms.database.reading() as conn:
        first = appeals.list_open(conn, limit=2)
        rest = appeals.list_open(conn, after=first[-1].id, limit=2)
        own = appeals.list_own(conn, PROJECT, "act_maker", after=made[0].id)

    assert [*first, *rest] == made
    assert list(own) == made[1:]


def _with_minors(house: SmallHouse) -> Callable[[str, Surface], list[Finding]]:
    def read(text: str, surface: Surface) -> list[Finding]:
        seen = house.filters.read(text, surface)
        return [*seen, replace(seen[0], category=Category.MINORS, score=0.9)]

    return read
