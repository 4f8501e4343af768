from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from service import jobs, notices
from service.database import Database
from service.jobs import OutboxItem, Step
from service.notices import IncompleteItem, NoticeKind, UnknownNotice, UnknownTopic
from tests.service.jobs.builders import DIGEST, LEASE, NOON, running
from tests.service.jobs.databases import postgres_schema, sqlite_in

OWNER = {"actor": "act_owner", "likeness": "lik_1", "job": "video_1", "grant": "grt_1"}


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    made = sqlite_in(tmp_path) if request.param == "sqlite" else postgres_schema("notices")
    with made as opened:
        yield opened


def an_item(topic: str, payload: Mapping[str, str], key: str = "k") -> OutboxItem:
    return OutboxItem(1, topic, key, payload, NOON, 1)


def test_the_owner_of_a_likeness_learns_of_its_use_but_not_who_asked(database: Database) -> None:
    item = an_item("likeness.used", {**OWNER, "requester": "act_maker"})
    with database.transaction() as conn:
        (notice,) = notices.tell(conn, item)

        assert (notice.actor, notice.kind) == ("act_owner", NoticeKind.LIKENESS_USED)
        assert notice.subject == "lik_1"
        assert notice.about == {"job": "video_1", "grant": "grt_1"}
        assert notices.list_for(conn, "act_owner") == (notice,)


def test_telling_the_same_event_again_tells_nothing_new(database: Database) -> None:
    item = an_item("likeness.used", OWNER)
    with database.transaction() as conn:
        first = notices.tell(conn, item)
        again = notices.tell(conn, item)

        assert first == again
        assert notices.unread(conn, "act_owner") == 1


def test_a_rights_holder_learns_of_a_match(database: Database) -> None:
    item = an_item("claim.matched", {"actor": "act_holder", "claim": "clm_1", "job": "video_1"})
    with database.transaction() as conn:
        (notice,) = notices.tell(conn, item)

        assert (notice.kind, notice.subject) == (NoticeKind.CLAIM_MATCHED, "clm_1")


def test_every_event_that_jobs_writes_has_a_reader_or_is_known_to_have_none(
    database: Database,
) -> None:
    with database.transaction() as conn:
        lease = running(conn, upto=Step.RELEASE)
        jobs.remove(conn, "proj_1", lease.job, NOON)
        items = jobs.next_outbox(conn, 99, LEASE, NOON)

        told = [notice for item in items for notice in notices.tell(conn, item)]

        assert [item.topic for item in items] == ["job.queued", "job.released", "job.deleted"]
        assert [(each.kind, each.subject) for each in told] == [(NoticeKind.RELEASED, lease.job)]
        assert told[0].about == {"blob": DIGEST}


def test_an_event_of_unknown_kind_stops_the_telling(database: Database) -> None:
    with database.transaction() as conn, pytest.raises(UnknownTopic):
        notices.tell(conn, an_item("likeness.sold", OWNER))


@pytest.mark.parametrize("missing", ["actor", "likeness", "grant"])
def test_an_event_without_its_ids_stops_the_telling(database: Database, missing: str) -> None:
    payload = {name: value for name, value in OWNER.items() if name != missing}

    with database.transaction() as conn, pytest.raises(IncompleteItem, match=missing):
        notices.tell(conn, an_item("likeness.used", payload))


def test_nobody_reads_anothers_notice(database: Database) -> None:
    with database.transaction() as conn:
        (notice,) = notices.tell(conn, an_item("likeness.used", OWNER))

        with pytest.raises(UnknownNotice):
            notices.mark_read(conn, "act_other", notice.id, NOON)

        assert notices.list_for(conn, "act_other") == ()
        assert notices.unread(conn, "act_owner") == 1


def test_a_notice_is_read_once_and_the_first_time_counts(database: Database) -> None:
    with database.transaction() as conn:
        (notice,) = notices.tell(conn, an_item("likeness.used", OWNER))

        notices.mark_read(conn, "act_owner", notice.id, NOON)
        read = notices.mark_read(conn, "act_owner", notice.id, NOON + LEASE)

        assert read.read_at == NOON
        assert notices.unread(conn, "act_owner") == 0


def test_pages_show_every_notice_once(database: Database) -> None:
    with database.transaction() as conn:
        for number in range(5):
            notices.tell(conn, an_item("likeness.used", OWNER, key=f"k{number}"))

        first = notices.list_for(conn, "act_owner", limit=3)
        rest = notices.list_for(conn, "act_owner", limit=3, after=first[-1].id)

        assert len({notice.id for notice in (*first, *rest)}) == 5
