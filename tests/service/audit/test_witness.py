"""The log and a witness that was written from the specification alone, over HTTP."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from service.audit import checkpoint as notes
from service.audit import cosign, cosigned, merkle, verify_file
from service.audit.checkpoint import Checkpoint
from service.audit.cosigned import Outside
from service.audit.errors import BadCheckpoint, BadCosigner
from service.audit.log import AuditLog
from service.audit.rehash import SPLIT_VIEW, Kind
from service.audit.witness import WitnessClient, in_background
from service.database import Database
from service.keys import CosigningKey, cosigning_key
from service.migrations import bring_up_to_date
from service.subjects import SubjectKeys
from tests.service.audit.builders import ORIGIN, SIGNER, VAULT, Clock, an_entry
from tests.service.audit.test_rehash import rewrite
from tests.service.audit.witness_server import Witness, is_consistent, serving

LOG_KEY = notes.verifier_key(ORIGIN, SIGNER.public)


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def stored(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    url = f"sqlite:///{tmp_path / 'a.sqlite3'}"
    if request.param == "postgres":
        url = request.getfixturevalue("postgres_url")
    made = Database(url)
    bring_up_to_date(made)
    yield made
    made.close()


@pytest.fixture
def witness() -> Iterator[Witness]:
    with serving(Witness()) as made:
        made.know(LOG_KEY)
        yield made


def watched(database: Database, *witnesses: Witness, key: CosigningKey | None = None) -> AuditLog:
    setting = ",".join(one.setting for one in witnesses)
    return AuditLog(
        database, signer=SIGNER, origin=ORIGIN, subjects=SubjectKeys([VAULT]), clock=Clock(),
        outside=Outside(cosigned.witnesses(setting, loopback=True), key), timeout_s=20,
    )  # fmt: skip


def a_client(database: Database, log: AuditLog, *, timeout_s: float = 5.0) -> WitnessClient:
    return WitnessClient(database, log, Clock(), timeout_s=timeout_s)


def grow(log: AuditLog, first: int, end: int) -> None:
    log.append_many([an_entry(f"dec_{number}") for number in range(first, end)])


def test_a_growing_log_is_cosigned_step_by_step(stored: Database, witness: Witness) -> None:
    with watched(stored, witness) as log:
        client = a_client(stored, log)
        for first, end in ((0, 1), (1, 5), (5, 300), (300, 700)):
            grow(log, first, end)

            (standing,) = client.push()

            assert (standing.size, standing.problem) == (end, "")
            assert witness.seen[ORIGIN][0] == end
            key = cosign.cosigner(witness.vkey)
            assert cosign.read(log.checkpoint(), ORIGIN, key).size == end


def test_a_witness_that_saw_the_log_before_is_met_where_it_stands(
    stored: Database, witness: Witness
) -> None:
    with watched(stored, witness) as log:
        grow(log, 0, 10)
        a_client(stored, log).push()
        with stored.transaction() as conn:
            conn.exec_driver_sql("DELETE FROM log_cosignature")
        grow(log, 10, 20)

        (standing,) = a_client(stored, log).push()

    assert (standing.size, standing.problem) == (20, "")
    assert [one.split("\n")[0] for one in witness.requests] == ["old 0", "old 0", "old 10"]


def test_a_witness_that_is_up_to_date_is_left_alone(stored: Database, witness: Witness) -> None:
    with watched(stored, witness) as log:
        grow(log, 0, 3)
        client = a_client(stored, log)
        client.push()

        client.push()

    assert len(witness.requests) == 1


@pytest.mark.parametrize("size", [60, 100, 140])
def test_a_rewritten_log_is_refused_by_the_witness_and_found_by_verify(
    database: Database, witness: Witness, size: int
) -> None:
    with watched(database, witness) as log:
        grow(log, 0, 100)
        a_client(database, log).push()
    rewrite(database, size)

    with watched(database, witness) as log:
        (standing,) = a_client(database, log).push()
        found = log.verify()

    assert standing.size == 100
    assert standing.problem == ("ahead" if size < 100 else "contradicted")
    assert witness.seen[ORIGIN][0] == 100
    assert [one.kind for one in found.problems] == [Kind.HISTORY_REWRITTEN]


def test_two_views_of_one_log_are_not_both_cosigned(witness: Witness, tmp_path: Path) -> None:
    views = []
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        database = Database(f"sqlite:///{tmp_path / name / 'a.sqlite3'}")
        bring_up_to_date(database)
        with watched(database, witness) as log:
            log.append_many([an_entry(f"{name}_{number}") for number in range(50)])
            views.append(a_client(database, log).push()[0])
        database.close()

    assert [(one.size, one.problem) for one in views] == [(50, ""), (0, "contradicted")]


def test_verify_says_how_far_a_witness_saw_the_log(stored: Database, witness: Witness) -> None:
    with watched(stored, witness) as log:
        grow(log, 0, 10)
        unseen = log.verify()
        a_client(stored, log).push()
        seen = log.verify()
        grow(log, 10, 15)
        partly = log.verify()

    assert unseen.not_checked == (SPLIT_VIEW,)
    assert seen.not_checked == ()
    assert partly.not_checked == ("split view after the first 10 entries",)
    assert partly.sound


def test_a_row_that_the_witness_did_not_sign_says_nothing(
    stored: Database, witness: Witness
) -> None:
    with watched(stored, witness) as log:
        grow(log, 0, 10)
        a_client(stored, log).push()
        forged = notes.sign(Checkpoint(ORIGIN, 5, bytes(32)), SIGNER)
        with stored.transaction() as conn:
            line = log.checkpoint().splitlines()[-1]
            conn.execute(cosigned.log_cosignature.update().values(note=f"{forged}{line}\n", size=5))

        assert log.verify().not_checked == (SPLIT_VIEW,)
        assert log.standings()[0].size == 0
        assert log.published() == log.head()[0]


def test_a_proof_carries_the_cosigned_checkpoint_and_is_checked_alone(
    stored: Database, witness: Witness
) -> None:
    with watched(stored, witness, key=cosigning_key(b"\x05" * 32)) as log:
        grow(log, 0, 10)
        a_client(stored, log).push()
        grow(log, 10, 15)

        early, late = log.proof_text(3), log.proof_text(12)

    assert verify_file.verify(early, LOG_KEY, [witness.vkey]).size == 10
    assert verify_file.verify(late, LOG_KEY).size == 15
    with pytest.raises(verify_file.NotProved, match="witness"):
        verify_file.verify(late, LOG_KEY, [witness.vkey])


def test_the_checkpoint_that_most_witnesses_cosigned_is_published(
    stored: Database, witness: Witness
) -> None:
    others = [Witness(name=f"witness.example/w{number}") for number in (2, 3)]
    with serving(others[0]), serving(others[1]):
        for one in others:
            one.know(LOG_KEY)
        with watched(stored, witness, *others) as log:
            client = a_client(stored, log)
            grow(log, 0, 5)
            assert log.published() == log.head()[0]
            client.push()
            others[1].status = 500
            grow(log, 5, 8)
            two = client.push()
            newest = log.published()
            others[0].status = 500
            grow(log, 8, 9)
            client.push()

            for one in (witness, others[0]):
                assert cosign.read(newest, ORIGIN, cosign.cosigner(one.vkey)).size == 8
            assert notes.read(newest, ORIGIN, [SIGNER.verifying]).size == 8
            assert [one.size for one in two] == [8, 8, 5]
            # One each by now: then the newest.
            assert notes.read(log.published(), ORIGIN, [SIGNER.verifying]).size == 9


@pytest.mark.parametrize(
    ("status", "problem"),
    [(404, "log_unknown"), (403, "key_unknown"), (422, "contradicted"), (400, "refused"),
     (500, "refused"), (302, "refused"), (409, "refused"), (201, "refused")],
)  # fmt: skip
def test_a_refusal_is_written_down_and_the_log_goes_on(
    stored: Database, witness: Witness, status: int, problem: str
) -> None:
    with watched(stored, witness) as log:
        grow(log, 0, 3)
        client = a_client(stored, log)
        witness.status = status
        (refused,) = client.push()
        grow(log, 3, 5)
        witness.status = 0
        (again,) = client.push()

    assert (refused.size, refused.problem) == (0, problem)
    assert len(witness.requests) == 2
    assert (again.size, again.problem) == (5, "")


@pytest.mark.parametrize(
    "reply",
    ["", "\n", "— witness.example/w1 AAAA\n", "— someone.else AAAAAAAAAAAAAAAA\n", "<html>",
     "— witness.example/w1 !\n", "x" * 70_000],
)  # fmt: skip
def test_an_answer_without_the_witnesss_signature_is_none(
    stored: Database, witness: Witness, reply: str
) -> None:
    with watched(stored, witness) as log:
        grow(log, 0, 3)
        witness.reply = reply

        (standing,) = a_client(stored, log).push()

    assert standing.size == 0
    assert standing.problem == ("unreachable" if len(reply) > 1000 else "not_cosigned")


def test_another_checkpoints_cosignature_is_not_kept(stored: Database, witness: Witness) -> None:
    with watched(stored, witness) as log:
        grow(log, 0, 3)
        client = a_client(stored, log)
        client.push()
        witness.reply = log.checkpoint().splitlines()[-1] + "\n"
        grow(log, 3, 6)

        (standing,) = client.push()

    assert (standing.size, standing.problem) == (3, "not_cosigned")


def test_a_witness_that_is_out_stops_nothing(stored: Database) -> None:
    with serving(Witness()) as gone:
        pass
    with watched(stored, gone) as log:
        grow(log, 0, 3)

        (standing,) = a_client(stored, log, timeout_s=0.5).push()
        grow(log, 3, 4)

    assert (standing.size, standing.problem) == (0, "unreachable")


def test_what_is_cosigned_is_asked_for_in_the_background(
    stored: Database, witness: Witness
) -> None:
    with watched(stored, witness) as log:
        grow(log, 0, 3)
        with in_background(a_client(stored, log), 0.02):
            until = time.monotonic() + 10
            while log.standings()[0].size < 3 and time.monotonic() < until:
                time.sleep(0.01)

        assert log.standings()[0].size == 3


def test_verify_holds_a_checkpoint_to_the_witness_that_must_have_signed_it(
    stored: Database, witness: Witness
) -> None:
    key = cosign.cosigner(witness.vkey)
    with watched(stored, witness) as log:
        grow(log, 0, 5)
        bare = log.checkpoint()
        with pytest.raises(BadCheckpoint, match="nothing that"):
            log.verify(by=[key])
        a_client(stored, log).push()

        assert log.verify(seen=log.checkpoint(), by=[key]).not_checked == ()
        assert log.verify(by=[key]).not_checked == ()
        with pytest.raises(BadCheckpoint, match="no cosignature"):
            log.verify(seen=bare, by=[key])


def test_the_logs_own_post_quantum_signature_stands_beside_the_first(stored: Database) -> None:
    key = cosigning_key(b"\x05" * 32)
    with watched(stored, key=key) as log:
        grow(log, 0, 5)
        note = log.checkpoint()

        assert log.checkpoint() == note
        assert cosign.read(note, ORIGIN, cosign.own(ORIGIN, key)).size == 5
        assert notes.read(note, ORIGIN, [SIGNER.verifying]).size == 5
        assert log.verify(seen=note).not_checked == ()
        grow(log, 5, 6)
        assert log.checkpoint() != note


KEY = Witness().vkey


@pytest.mark.parametrize(
    "setting",
    [
        "https://w.example",
        f"w.example {KEY}",
        f"ftp://w.example {KEY}",
        f"file:///etc/passwd {KEY}",
        f"http://w.example {KEY}",
        f"http://169.254.169.254 {KEY}",
        f"http://127.0.0.1.evil.example {KEY}",
        f"https://user:password@w.example {KEY}",
        f"https://w.example/?a=b {KEY}",
        f"https://w.example/#a {KEY}",
        f"https://w.example\\@other {KEY}",
        f"https:// {KEY}",
        f"https://w.example {KEY}, https://w2.example {KEY}",
        f"https://w.example {LOG_KEY}",
    ],
)
def test_what_is_no_witness_is_refused(setting: str) -> None:
    with pytest.raises(BadCosigner):
        cosigned.witnesses(setting, loopback=True)


def test_only_a_trial_may_ask_without_tls() -> None:
    setting = f"http://127.0.0.1:80/ {KEY}"

    assert cosigned.witnesses(setting, loopback=True)[0].url == "http://127.0.0.1:80"
    with pytest.raises(BadCosigner, match="https"):
        cosigned.witnesses(setting, loopback=False)


def test_several_witnesses_stand_in_one_setting() -> None:
    other = Witness(name="w2.example").vkey

    found = cosigned.witnesses(
        f" https://w.example/a/ {KEY} ,\nhttps://[2001:db8::1]:8443 {other},", loopback=False
    )

    assert [one.url for one in found] == ["https://w.example/a", "https://[2001:db8::1]:8443"]
    assert cosigned.witnesses("", loopback=False) == ()


@pytest.mark.parametrize("new", range(1, 40))
def test_the_tests_witness_agrees_with_our_consistency_proofs(new: int) -> None:
    """Else its refusals above would say nothing."""
    hashes = [merkle.leaf_hash(b"%d" % number) for number in range(new)]
    edges = [merkle.Edge() for _ in range(new + 1)]
    tiles = {}
    for size, edge in enumerate(edges):
        tiles = edge.extend(hashes[:size])
    for old in range(1, new + 1):
        proof = merkle.consistency_proof(old, new, lambda level, number: tiles[level, number])
        both = (old, edges[old].root()), (new, edges[new].root())

        assert is_consistent(*both, list(proof))
        if proof:
            assert not is_consistent(*both, [*proof[:-1], bytes(32)])
            assert not is_consistent(*both, list(proof[:-1]))
