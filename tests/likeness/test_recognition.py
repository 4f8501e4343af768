import pytest
from hypothesis import given
from hypothesis import strategies as st

from likeness.faces import Quality
from likeness.index import Hit
from likeness.recognition import Judge, Outcome, Permissions
from likeness.thresholds import Calibration
from tests.likeness.builders import a_face, person

CALIBRATION = Calibration("c", "m", allow=0.45, hold=0.52, identity_limit=300)
JUDGE = Judge(CALIBRATION, identities=2)
FACE = a_face(person(1))
ANA_AGREED = Permissions({"ana": "grt_1"})

hits = st.lists(
    st.builds(Hit, st.sampled_from(["ana", "ben", "cem"]), st.floats(0, 0.52)),
    max_size=3,
    unique_by=lambda hit: hit.likeness,
).map(lambda found: sorted(found, key=lambda hit: hit.distance))


@pytest.mark.parametrize(
    ("near", "upload", "output"),
    [
        ([], Outcome.STRANGER, Outcome.UNKNOWN_PERSON),
        ([Hit("ana", 0.45)], Outcome.GRANTED, Outcome.GRANTED),
        ([Hit("ana", 0.46)], Outcome.UNCERTAIN, Outcome.GRANTED),
        ([Hit("ben", 0.45)], Outcome.NOT_GRANTED, Outcome.NOT_GRANTED),
        ([Hit("ben", 0.46)], Outcome.UNCERTAIN, Outcome.UNCERTAIN),
        ([Hit("ana", 0.2), Hit("ben", 0.45)], Outcome.UNCERTAIN, Outcome.UNCERTAIN),
        ([Hit("ana", 0.2), Hit("ben", 0.46)], Outcome.GRANTED, Outcome.GRANTED),
        ([Hit("ben", 0.2), Hit("ana", 0.3)], Outcome.NOT_GRANTED, Outcome.NOT_GRANTED),
    ],
    ids=[
        "nobody", "who agreed", "perhaps who agreed", "who did not", "perhaps who did not",
        "a double of who agreed", "hardly a double", "nearer to who did not",
    ],
)  # fmt: skip
def test_who_is_near_decides(near: list[Hit], upload: Outcome, output: Outcome) -> None:
    assert JUDGE.of_upload(FACE, near, ANA_AGREED).outcome is upload
    assert JUDGE.of_output(FACE, near, ANA_AGREED).outcome is output


@pytest.mark.parametrize(
    ("identities", "outcome"), [(300, Outcome.NOT_GRANTED), (301, Outcome.UNCERTAIN)]
)
def test_nobody_is_refused_for_a_resemblance_above_the_identity_limit(
    identities: int, outcome: Outcome
) -> None:
    judge = Judge(CALIBRATION, identities)

    assert judge.of_upload(FACE, [Hit("ben", 0.2)], ANA_AGREED).outcome is outcome
    assert judge.of_output(FACE, [Hit("ben", 0.2)], ANA_AGREED).outcome is outcome


def test_somebody_who_agreed_but_was_not_named_is_neither_cleared_nor_refused() -> None:
    may = Permissions({}, frozenset({"ana"}))

    assert JUDGE.of_upload(FACE, [Hit("ana", 0.2)], may).outcome is Outcome.UNCERTAIN


@pytest.mark.parametrize(
    ("quality", "outcome"),
    [(Quality.INCONCLUSIVE, Outcome.INCONCLUSIVE), (Quality.TOO_SMALL, Outcome.TOO_SMALL)],
)
def test_a_poor_face_is_never_cleared(quality: Quality, outcome: Outcome) -> None:
    face = a_face(person(1), quality=quality)

    assert JUDGE.of_upload(face, [Hit("ana", 0.0)], ANA_AGREED).outcome is outcome
    assert JUDGE.of_output(face, [], ANA_AGREED).outcome is outcome


def test_a_poor_generated_face_like_somebody_who_did_not_agree_is_uncertain() -> None:
    face = a_face(person(1), quality=Quality.INCONCLUSIVE)

    assert JUDGE.of_output(face, [Hit("ben", 0.2)], ANA_AGREED).outcome is Outcome.UNCERTAIN


@given(hits, st.sets(st.sampled_from(["ana", "ben", "cem"])), st.sampled_from(Quality))
def test_an_upload_is_cleared_only_by_a_sure_match_with_a_permission(
    near: list[Hit], agreed: set[str], quality: Quality
) -> None:
    may = Permissions({likeness: f"grt_{likeness}" for likeness in agreed})

    finding = JUDGE.of_upload(a_face(person(1), quality=quality), near, may)

    if finding.outcome is Outcome.GRANTED:
        assert quality is Quality.DECIDES
        assert near[0].likeness in agreed
        assert near[0].distance <= CALIBRATION.allow
        assert finding.grant == f"grt_{near[0].likeness}"
        assert all(hit.likeness in agreed or hit.distance > CALIBRATION.allow for hit in near)
    else:
        assert finding.grant == ""
        assert finding.outcome is not Outcome.UNKNOWN_PERSON


@given(hits, st.sets(st.sampled_from(["ana", "ben", "cem"])))
def test_a_generated_face_passes_as_unknown_only_if_it_is_like_nobody(
    near: list[Hit], agreed: set[str]
) -> None:
    may = Permissions(dict.fromkeys(agreed, "grt"))

    finding = JUDGE.of_output(FACE, near, may)

    assert (finding.outcome is Outcome.UNKNOWN_PERSON) == (not near)
    assert finding.outcome is not Outcome.GRANTED or near[0].likeness in agreed
