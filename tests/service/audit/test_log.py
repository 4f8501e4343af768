"""What an append promises."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.audit import checkpoint, merkle
from service.audit.entries import Entry
from service.audit.errors import (
    BadEntry,
    BadProof,
    KeyReused,
    LogClosed,
    NoEntry,
)
from service.audit.log import AuditLog
from service.audit.reading import EntryFilter, Order
from service.database import Database
from service.keys import signing_key
from service.subjects import SubjectKeys
from tests.service.audit.builders import (
    ORIGIN,
    SIGNER,
    START,
    VAULT,
    Clock,
    a_database,
    a_log,
    a_prompt,
    an_entry,
)


def test_an_append_is_in_the_signed_tree_when_it_returns(log: AuditLog) -> None:
    receipt = log.append(an_entry("dec_1"))

    signed = checkpoint.read(receipt.checkpoint, ORIGIN, [SIGNER.verifying])
    leaf = log.entry(receipt.index).leaf
    proof = log.inclusion_proof(receipt.index, signed.size)
    assert (
        merkle.root_from_inclusion(merkle.leaf_hash(leaf), receipt.index, signed.size, proof)
        == signed.root
    )


def test_what_was_logged_can_be_read_back(log: AuditLog) -> None:
    receipt = log.append(an_entry("dec_1", facts={"verdict": "hold", "score": 0.5}))

    entry = log.entry_by_key("dec_1")

    assert entry == log.entry(receipt.index)
    assert (entry.key, entry.type, entry.request) == ("dec_1", "decision.made", "req_dec_1")
    assert entry.facts == {"verdict": "hold", "score": 0.5}
    assert entry.logged_at == "2026-11-21T08:00:00.000000Z"


def test_the_same_entry_twice_is_logged_once(log: AuditLog) -> None:
    first = log.append(an_entry("dec_1", values=a_prompt("a cat")))
    later = an_entry("dec_1", values=a_prompt("a cat"), at=START + timedelta(hours=1))

    second = log.append(later)

    assert second == first
    assert log.verify().size == 1


@pytest.mark.parametrize(
    "other",
    [
        an_entry("dec_1", facts={"verdict": "block"}, values=a_prompt("a cat")),
        an_entry("dec_1", actor="act_2", values=a_prompt("a cat")),
        an_entry("dec_1", values=a_prompt("a dog")),
        an_entry("dec_1", values=a_prompt("a cat", subject="actor:act_2")),
        an_entry("dec_1"),
    ],
    ids=["facts", "actor", "private value", "subject", "no value"],
)
def test_a_key_does_not_stand_for_two_entries(log: AuditLog, other: Entry) -> None:
    log.append(an_entry("dec_1", values=a_prompt("a cat")))

    with pytest.raises(KeyReused):
        log.append(other)
    assert log.verify().size == 1


def test_one_key_twice_in_one_batch_is_logged_once(log: AuditLog) -> None:
    receipts = log.append_many([an_entry("dec_1"), an_entry("dec_2"), an_entry("dec_1")])

    assert [receipt.index for receipt in receipts] == [0, 1, 0]
    with pytest.raises(KeyReused):
        log.append_many([an_entry("dec_3"), an_entry("dec_3", actor="act_2")])
    assert log.entry(2).key == "dec_3"


def test_many_entries_keep_their_order_over_several_transactions(log: AuditLog) -> None:
    receipts = log.append_many([an_entry(f"dec_{number}") for number in range(2300)])

    assert [receipt.index for receipt in receipts] == list(range(2300))
    assert log.verify().sound


def test_many_threads_each_get_their_own_place(log: AuditLog) -> None:
    keys = [f"dec_{number}" for number in range(400)]

    with ThreadPoolExecutor(16) as pool:
        receipts = list(pool.map(lambda key: log.append(an_entry(key)), keys))

    assert sorted(receipt.index for receipt in receipts) == list(range(400))
    for key, receipt in zip(keys, receipts, strict=True):
        assert log.entry(receipt.index).key == key
    assert log.verify().sound


def test_coroutines_share_batches_without_a_thread_each(log: AuditLog) -> None:
    async def all_at_once() -> list[int]:
        answers = await asyncio.gather(*(log.append_async(an_entry(f"d{n}")) for n in range(200)))
        return [answer.index for answer in answers]

    assert sorted(asyncio.run(all_at_once())) == list(range(200))


def test_the_log_reopens_where_it_was(database: Database) -> None:
    with a_log(database) as log:
        log.append_many([an_entry(f"dec_{number}") for number in range(300)])
        before = log.checkpoint()

    with a_log(database) as log:
        assert log.checkpoint() == before
        assert log.append(an_entry("dec_new")).index == 300
        assert log.verify(seen=before).sound


def test_time_does_not_go_backwards_in_the_log(log: AuditLog, clock: Clock) -> None:
    log.append(an_entry("dec_1"))
    clock.move(-3600)
    log.append(an_entry("dec_2"))
    clock.move(7200)
    log.append(an_entry("dec_3"))

    logged = [log.entry(index).logged_at for index in range(3)]

    assert logged == sorted(logged)
    assert logged[0] == logged[1] < logged[2]


def test_a_new_signing_key_goes_on_with_the_old_log(database: Database) -> None:
    with a_log(database) as log:
        log.append(an_entry("dec_1"))
    newer = signing_key(b"\x09" * 32)

    with AuditLog(
        database,
        signer=newer,
        origin=ORIGIN,
        subjects=SubjectKeys([VAULT]),
        clock=Clock(),
        trusted=[SIGNER.verifying],
    ) as log:
        receipt = log.append(an_entry("dec_2"))

    assert checkpoint.read(receipt.checkpoint, ORIGIN, [newer.verifying]).size == 2


def test_a_closed_log_takes_nothing(database: Database) -> None:
    log = a_log(database)
    log.close()

    with pytest.raises(LogClosed):
        log.append(an_entry("dec_1"))


def test_an_unfit_entry_never_reaches_the_batch(log: AuditLog) -> None:
    with pytest.raises(BadEntry):
        log.append(an_entry("dec_1", facts={"prompt": "a cat"}))
    assert log.verify().size == 0


# Staged entries


def test_a_staged_entry_is_in_the_tree_once_it_is_settled(
    database: Database, log: AuditLog
) -> None:
    with database.transaction() as conn:
        key = log.stage(conn, an_entry("grt_1", values=a_prompt("a cat")))

    receipt = log.settle(key)

    assert log.entry(receipt.index).key == "grt_1"
    with database.reading() as conn:
        assert log.disclose(conn, receipt.index, "prompt").text == "a cat"
    assert log.verify().sound


def test_an_entry_goes_with_the_fact_that_was_rolled_back(
    database: Database, log: AuditLog
) -> None:
    with pytest.raises(ZeroDivisionError), database.transaction() as conn:
        log.stage(conn, an_entry("grt_1"))
        raise ZeroDivisionError

    with pytest.raises(NoEntry):
        log.settle("grt_1")


def test_the_next_batch_takes_what_was_staged_and_not_settled(
    database: Database, log: AuditLog
) -> None:
    with database.transaction() as conn:
        log.stage(conn, an_entry("grt_1"))

    receipt = log.append(an_entry("dec_1"))

    assert receipt.index == 1
    assert log.entry_by_key("grt_1").index == 0


def test_start_up_drains_the_intake_whole(database: Database) -> None:
    with a_log(database) as log, database.transaction() as conn:
        for number in range(1100):
            log.stage(conn, an_entry(f"grt_{number}"))

    with a_log(database) as log:
        assert log.entry_by_key("grt_1099").index == 1099
        assert log.verify().sound


def test_staging_twice_is_staging_once(database: Database, log: AuditLog) -> None:
    with database.transaction() as conn:
        log.stage(conn, an_entry("grt_1", values=a_prompt("a cat")))
        log.stage(conn, an_entry("grt_1", values=a_prompt("a cat")))
    first = log.settle("grt_1")
    with database.transaction() as conn:
        log.stage(conn, an_entry("grt_1", values=a_prompt("a cat")))

    assert log.settle("grt_1") == first
    assert log.verify().size == 1


def test_a_staged_key_does_not_stand_for_two_entries(database: Database, log: AuditLog) -> None:
    with database.transaction() as conn:
        log.stage(conn, an_entry("grt_1"))
    with pytest.raises(KeyReused), database.transaction() as conn:
        log.stage(conn, an_entry("grt_1", actor="act_2"))
    log.settle("grt_1")
    with pytest.raises(KeyReused), database.transaction() as conn:
        log.stage(conn, an_entry("grt_1", actor="act_2"))

    assert log.append(an_entry("grt_1")).index == 0
    assert log.verify().sound


# Reading


def test_entries_are_found_by_what_they_are_about(log: AuditLog) -> None:
    log.append_many(
        [
            an_entry("dec_1", actor="act_1", facts={"decision": "dec_1"}),
            an_entry("dec_2", actor="act_2", facts={"decision": "dec_2"}),
            an_entry("grt_3", actor="act_2", type="grant.revoked", facts={}),
        ]
    )

    def found(wanted: EntryFilter) -> list[str]:
        return [entry.key for entry in log.entries(wanted)]

    assert found(EntryFilter()) == ["grt_3", "dec_2", "dec_1"]
    assert found(EntryFilter(actor="act_2", order=Order.OLDEST)) == ["dec_2", "grt_3"]
    assert found(EntryFilter(actor="act_2", type="grant.revoked")) == ["grt_3"]
    assert found(EntryFilter(decision="dec_1")) == ["dec_1"]
    assert found(EntryFilter(request="req_dec_2")) == ["dec_2"]
    assert found(EntryFilter(project="prj_2")) == []


@pytest.mark.parametrize("order", list(Order))
def test_pages_together_show_every_entry_once(log: AuditLog, order: Order) -> None:
    log.append_many([an_entry(f"dec_{number}") for number in range(25)])
    seen: list[int] = []
    after = None

    while page := log.entries(EntryFilter(after=after, limit=10, order=order)):
        seen += [entry.index for entry in page]
        after = seen[-1]

    assert seen == sorted(range(25), reverse=order is Order.NEWEST)


def test_what_is_not_there_is_an_error(log: AuditLog) -> None:
    log.append(an_entry("dec_1"))

    for ask in (
        lambda: log.entry(1),
        lambda: log.entry(-1),
        lambda: log.entry_by_key("dec_2"),
        lambda: log.receipt(1),
        lambda: log.proof_text(1),
    ):
        with pytest.raises(NoEntry):
            ask()
    with pytest.raises(BadProof):
        log.inclusion_proof(0, 2)
    with pytest.raises(BadProof):
        log.consistency_proof(1, 2)


def test_every_checkpoint_is_a_beginning_of_every_later_one(log: AuditLog) -> None:
    signed = []
    for number in range(12):
        log.append_many([an_entry(f"dec_{number}_{one}") for one in range(number * 7 + 1)])
        signed.append(checkpoint.read(log.checkpoint(), ORIGIN, [SIGNER.verifying]))

    for earlier in signed:
        for later in signed[signed.index(earlier) :]:
            merkle.check_consistency(
                (earlier.size, earlier.root),
                (later.size, later.root),
                log.consistency_proof(earlier.size, later.size),
            )


def test_a_receipt_can_be_had_again_later(log: AuditLog) -> None:
    log.append_many([an_entry("dec_1"), an_entry("dec_2")])

    receipt = log.receipt(0)

    assert (receipt.log, receipt.index, receipt.tree_size) == (ORIGIN, 0, 2)
    assert receipt.proof_url == "/v1/audit/proofs/0"


# Private values


@given(st.lists(st.lists(st.sampled_from("abcdef"), max_size=4), max_size=6))
@settings(max_examples=15, deadline=None)
def test_any_mix_of_appends_and_stagings_logs_each_key_once(
    tmp_path_factory: pytest.TempPathFactory, rounds: list[list[str]]
) -> None:
    database = a_database(tmp_path_factory.mktemp("mix"))
    places: dict[str, int] = {}

    with a_log(database) as log:
        for number, keys in enumerate(rounds):
            if number % 2:
                with database.transaction() as conn:
                    for key in keys:
                        log.stage(conn, an_entry(key))
                got = {key: log.settle(key).index for key in keys}
            else:
                receipts = log.append_many([an_entry(key) for key in keys])
                got = {key: one.index for key, one in zip(keys, receipts, strict=True)}
            for key, index in got.items():
                assert places.setdefault(key, index) == index
        assert sorted(places.values()) == list(range(len(places)))
        assert log.verify().sound
    database.close()


def test_close_answers_whoever_waits(database: Database) -> None:
    log = a_log(database)
    answers: list[int] = []
    threads = [
        threading.Thread(target=lambda key=key: answers.append(log.append(an_entry(key)).index))
        for key in ("a", "b", "c")
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    log.close()

    assert sorted(answers) == [0, 1, 2]


def test_draining_takes_in_what_others_staged(database: Database, log: AuditLog) -> None:
    with database.transaction() as conn:
        log.stage(conn, an_entry("dec_1"))
        log.stage(conn, an_entry("dec_2"))

    log.drain()

    assert {log.entry_by_key("dec_1").index, log.entry_by_key("dec_2").index} == {0, 1}
