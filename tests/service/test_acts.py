from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from likeness.faces import LikenessError
from likeness.registry import NoSuchGrant, NoSuchLikeness
from rightsholders.claims import Action, Basis, Draft, Kind
from rightsholders.register import NoSuchClaim
from service.acts import Acts
from service.media.stills import encoded
from tests.builders import SmallHouse, a_house

MARA = (200, 10, 10)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[SmallHouse]:
    with a_house(tmp_path) as made:
        vector = np.random.default_rng(1).normal(size=128).astype(np.float32)
        made.faces.people[MARA] = vector / np.linalg.norm(vector)
        yield made


def a_photograph() -> bytes:
    frame = np.random.default_rng(5).integers(60, 200, (96, 96, 3)).astype(np.uint8)
    frame[0, 0] = MARA
    return encoded(frame)


def a_draft(house: SmallHouse, holder: str = "act_holder") -> Draft:
    return Draft(
        holder, "Zorbaxia", Kind.TITLE, Action.BLOCK, Basis.COPYRIGHT, ("Zorbaxia",), house.clock()
    )


def test_every_act_is_in_the_tree_when_it_returns(house: SmallHouse) -> None:
    mara = Acts(house.rooms, "act_mara")
    now = house.clock()

    likeness = mara.enrol("mara", [a_photograph()])
    grant = mara.grant(likeness.made.id, "act_maker", from_at=now, until_at=now + timedelta(days=1))
    ended = mara.revoke_grant(grant.made.id)
    revoked = mara.revoke(likeness.made.id)
    holder = Acts(house.rooms, "act_holder")
    claim = holder.claim(a_draft(house))
    withdrawn = holder.withdraw(claim.made.id)

    done = [likeness, grant, ended, revoked, claim, withdrawn]
    types = [house.rooms.log.entry(one.receipt.index).type for one in done]  # type: ignore[attr-defined]
    assert types == [
        "likeness.enrolled", "likeness.granted", "likeness.grant_revoked", "likeness.revoked",
        "claim.in_force", "claim.withdrawn",
    ]  # fmt: skip
    assert house.rooms.log.verify().sound


def test_a_failed_act_leaves_neither_fact_nor_entry(house: SmallHouse) -> None:
    size = house.rooms.log.verify().size

    with pytest.raises(LikenessError):
        Acts(house.rooms, "act_mara").enrol("No Handle!", [a_photograph()])

    assert house.rooms.log.verify().size == size


def test_nobody_grants_or_revokes_for_somebody_else(house: SmallHouse) -> None:
    now = house.clock()
    mara, other = Acts(house.rooms, "act_mara"), Acts(house.rooms, "act_other")
    likeness = mara.enrol("mara", [a_photograph()]).made.id
    grant = mara.grant(likeness, "act_maker", from_at=now, until_at=now + timedelta(days=1)).made

    with pytest.raises(NoSuchLikeness):
        other.grant(likeness, "act_other", from_at=now, until_at=now + timedelta(days=1))
    with pytest.raises(NoSuchLikeness):
        other.revoke(likeness)
    with pytest.raises(NoSuchGrant):
        other.revoke_grant(grant.id)


def test_nobody_withdraws_another_holders_claim(house: SmallHouse) -> None:
    claim = Acts(house.rooms, "act_holder").claim(a_draft(house)).made

    with pytest.raises(NoSuchClaim):
        Acts(house.rooms, "act_other").withdraw(claim.id)


def test_a_handle_and_a_work_are_commitments_that_can_be_disclosed(house: SmallHouse) -> None:
    receipt = Acts(house.rooms, "act_mara").enrol("mara", [a_photograph()]).receipt

    leaf = house.rooms.log.entry(receipt.index).leaf
    with house.rooms.database.reading() as conn:
        disclosure = house.rooms.log.disclose(conn, receipt.index, "handle")

    assert b"mara" not in leaf.replace(b"act_mara", b"")
    assert disclosure.text == "mara"
