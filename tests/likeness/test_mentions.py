from sqlalchemy import Engine

from likeness.handles import Mention, MentionStatus
from likeness.registry import Registry
from tests.likeness.builders import DAY, NOW, admitted, granted


def test_handles_in_a_text_are_told_apart(registry: Registry, sqlite: Engine) -> None:
    with sqlite.begin() as conn:
        grant = granted(registry, conn, admitted(registry, conn, "ana", 1), "act_ben")
        admitted(registry, conn, "cem", 2)

        mentions = registry.handles_in(conn, "@ana, @Cem and @zoe", actor="act_ben", now=NOW)

    assert [(m.handle, m.status, m.grant) for m in mentions] == [
        ("ana", MentionStatus.GRANTED, grant.id),
        ("cem", MentionStatus.NOT_GRANTED, ""),
        ("zoe", MentionStatus.UNKNOWN, ""),
    ]


def test_a_revoked_handle_is_still_known_and_granted_to_nobody(
    registry: Registry, engine: Engine
) -> None:
    with engine.begin() as conn:
        likeness = admitted(registry, conn, "ana", 1)
        granted(registry, conn, likeness, "act_ben")
        registry.revoke(conn, likeness.id, now=NOW)

    with engine.connect() as conn:
        for actor in ("act_ben", "act_ana", "act_cem"):
            assert registry.handles_in(conn, "@ana", actor=actor, now=NOW) == [
                Mention("ana", 0, 4, MentionStatus.NOT_GRANTED, likeness.id)
            ]


def test_a_handle_revoked_twice_is_whose_it_was_last(registry: Registry, engine: Engine) -> None:
    with engine.begin() as conn:
        first = admitted(registry, conn, "ana", 1)
        registry.revoke(conn, first.id, now=NOW)
        second = admitted(registry, conn, "ana", 2, owner="act_other")
        registry.revoke(conn, second.id, now=NOW + DAY)
        registry.revoke(conn, first.id, now=NOW + 2 * DAY)

        (mention,) = registry.handles_in(conn, "@ana", actor="act_ben", now=NOW + 2 * DAY)

    assert mention.likeness == second.id


def test_a_handle_taken_after_a_revocation_is_its_new_owners(
    registry: Registry, engine: Engine
) -> None:
    with engine.begin() as conn:
        registry.revoke(conn, admitted(registry, conn, "ana", 1).id, now=NOW)
        newer = admitted(registry, conn, "ana", 2, owner="act_other")
        grant = granted(registry, conn, newer, "act_ben")

        (mention,) = registry.handles_in(conn, "@ana", actor="act_ben", now=NOW)

    assert mention == Mention("ana", 0, 4, MentionStatus.GRANTED, newer.id, grant.id)
