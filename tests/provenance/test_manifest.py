import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from provenance.container import media_type
from provenance.facts import RELEASE, Facts, facts_from, manifest_of, printable
from provenance.failures import CredentialsUnusable, NotReadable, ProvenanceError, SignFailed
from provenance.manifest import Unsupported, crjson, read, sign
from provenance.report import Report, State
from provenance.signing import Authority, Credentials
from tests.provenance.builders import (
    NOW,
    Signed,
    an_authority,
    credentials_of,
    facts_by_rule,
    facts_of_a_model,
)


def written(tmp_path: Path, content: bytes) -> Path:
    path = tmp_path / "film.mp4"
    path.write_bytes(content)
    return path


def report_of(path: Path, anchors: bytes) -> Report:
    report = read(path, anchors)
    assert report is not None
    return report


@pytest.mark.parametrize("facts", [facts_of_a_model(), facts_by_rule()], ids=lambda f: f.title)
def test_the_facts_come_back_as_they_were_signed(
    film: Path, authority: Authority, facts: Facts, tmp_path: Path
) -> None:
    label = sign(film, tmp_path / "a.mp4", facts, credentials_of(authority), now=NOW)

    report = report_of(tmp_path / "a.mp4", authority.root_pem)
    assert (report.state, report.failures, report.facts) == (State.TRUSTED, (), facts)
    assert report.label == label
    assert report.signed_at == NOW
    assert report.digital_sources[0] == facts.maker.digital_source


def test_a_stranger_finds_the_signature_valid_and_the_signer_unknown(
    signed: Signed, tmp_path: Path
) -> None:
    path = written(tmp_path, signed.content)

    for anchors in (b"", an_authority().root_pem):
        report = report_of(path, anchors)
        assert report.state is State.VALID
        assert report.failures == ("signingCredential.untrusted",)


def test_a_file_without_a_manifest_has_no_report(film: Path, authority: Authority) -> None:
    assert read(film, authority.root_pem) is None
    assert crjson(film, authority.root_pem) == ""


def test_a_key_elsewhere_signs_as_well(film: Path, authority: Authority, tmp_path: Path) -> None:
    key = serialization.load_pem_private_key(authority.key_pem, None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    private = key

    def hardware(message: bytes) -> bytes:
        return private.sign(message, ec.ECDSA(hashes.SHA256()))

    sign(
        film,
        tmp_path / "a.mp4",
        facts_by_rule(),
        Credentials(authority.chain_pem, hardware),
        now=NOW,
    )

    assert report_of(tmp_path / "a.mp4", authority.root_pem).state is State.TRUSTED


def failing(_: bytes) -> bytes:
    raise ConnectionError("the key service does not answer")


@pytest.mark.parametrize("answer", [failing, lambda _: b"", lambda _: b"x" * 64])
def test_a_key_service_that_fails_leaves_no_file(
    film: Path, authority: Authority, tmp_path: Path, answer: object
) -> None:
    assert callable(answer)

    with pytest.raises(SignFailed):
        sign(
            film,
            tmp_path / "a.mp4",
            facts_by_rule(),
            Credentials(authority.chain_pem, answer),
            now=NOW,
        )

    assert not list(tmp_path.iterdir())


def test_expired_credentials_sign_nothing(film: Path, authority: Authority, tmp_path: Path) -> None:
    with pytest.raises(CredentialsUnusable, match="expired"):
        sign(
            film,
            tmp_path / "a.mp4",
            facts_by_rule(),
            credentials_of(authority),
            now=NOW + timedelta(days=400),
        )

    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("content", [b"", b"text", b"\0\0\0\x10ftypisom\0\0\0\0"])
def test_what_is_no_film_is_not_signed(
    authority: Authority, tmp_path: Path, content: bytes
) -> None:
    source = written(tmp_path, content)

    with pytest.raises(SignFailed):
        sign(source, tmp_path / "a.mp4", facts_by_rule(), credentials_of(authority), now=NOW)

    assert list(tmp_path.iterdir()) == [source]


def test_a_failed_signature_does_not_touch_what_was_there(
    film: Path, authority: Authority, tmp_path: Path
) -> None:
    target = written(tmp_path, b"older")

    with pytest.raises(SignFailed):
        sign(film, target, facts_by_rule(), Credentials(authority.chain_pem, failing), now=NOW)

    assert target.read_bytes() == b"older"


def test_nothing_about_a_person_is_in_the_manifest(signed: Signed, tmp_path: Path) -> None:
    said = crjson(written(tmp_path, signed.content), b"").lower()

    for word in ('prompt"', "actor", "user", "email", "@"):
        assert word not in said.replace("@context", "").replace("@vocab", "")
    assert "prompt_guided" in said  # the one place where the word may be


@pytest.mark.slow
def test_no_flipped_bit_goes_unseen(signed: Signed, tmp_path: Path) -> None:
    content = bytearray(signed.content)
    path = tmp_path / "film.mp4"
    end_of_manifest = content.index(b"moov")
    # Every byte of the first 700 bytes, where most names are; then samples of manifest and film.
    places = [*range(700), *range(700, end_of_manifest + 8, 7)]
    places += range(end_of_manifest, len(content), max(1, len(content) // 60))

    unseen = []
    for place in places:
        content[place] ^= 1 << place % 8
        path.write_bytes(content)
        content[place] ^= 1 << place % 8
        try:
            report = read(path, signed.authority.root_pem)
        except ProvenanceError:
            continue
        if report is not None and report.state is not State.INVALID:
            unseen.append(place)

    assert not unseen


@pytest.mark.parametrize("part", [0.02, 0.1, 0.5, 0.9, 0.999])
def test_a_cut_file_is_never_trusted(signed: Signed, tmp_path: Path, part: float) -> None:
    path = written(tmp_path, signed.content[: int(len(signed.content) * part)])

    report = read(path, signed.authority.root_pem)

    assert report is None or report.state is State.INVALID


@pytest.mark.parametrize(
    "more", [b"x", bytes(8), b"\0\0\0\x10free12345678", b"\0\0\0\x10skip12345678"]
)
def test_an_added_tail_is_seen(signed: Signed, tmp_path: Path, more: bytes) -> None:
    path = written(tmp_path, signed.content + more)

    assert report_of(path, signed.authority.root_pem).state is State.INVALID


def test_a_manifest_moved_to_another_film_is_seen(
    signed: Signed, film: Path, tmp_path: Path
) -> None:
    start = signed.content.index(b"uuid") - 4
    length = int.from_bytes(signed.content[start : start + 4])
    other = bytearray(film.read_bytes())
    other[-100] ^= 1
    other[32:32] = signed.content[start : start + length]

    report = report_of(written(tmp_path, bytes(other)), signed.authority.root_pem)

    assert report.state is State.INVALID


@pytest.mark.parametrize("content", [b"", b"plain text", b"%PDF-1.7", b"PK\x03\x04"])
def test_other_kinds_of_file_are_unsupported(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(Unsupported):
        read(written(tmp_path, content), b"")


def test_a_missing_file_is_not_readable(tmp_path: Path) -> None:
    with pytest.raises(NotReadable):
        read(tmp_path / "nowhere.mp4", b"")


@given(st.binary(max_size=300))
def test_no_foreign_error_escapes_whatever_the_bytes(
    tmp_path_factory: pytest.TempPathFactory, junk: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "junk.mp4"

    for head in (b"", b"\0\0\0\x10ftypisom\0\0\0\0", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"):
        path.write_bytes(head + junk)
        try:
            report = read(path, b"")
        except Unsupported:
            continue
        assert report is None or report.state is State.INVALID


NAMES = st.text(st.characters(categories=["L", "N", "P", "S"]), min_size=1, max_size=40)


@given(NAMES, NAMES, st.booleans())
def test_facts_survive_the_manifest_definition(title: str, request_id: str, marked: bool) -> None:
    facts = replace(
        facts_of_a_model(), title=title, request_id=request_id, visible_mark="x" if marked else ""
    )

    manifest = json.loads(json.dumps(manifest_of(facts, "video/mp4", "ff")))
    actions = manifest["assertions"][0]["data"]["actions"]

    back, hidden = facts_from(
        manifest["title"], manifest["claim_generator_info"], manifest["assertions"], actions
    )
    assert (back, hidden) == (facts, "ff")


def test_a_foreign_manifest_has_no_facts_of_ours() -> None:
    assert facts_from("x", [{}], [{"label": RELEASE + ".v9", "data": {}}], [{}]) == (None, "")


def test_text_from_a_file_is_one_short_line() -> None:
    assert printable("a\nb\x1b[31m\u202ec" + "d" * 500) == "ab[31mc" + "d" * 193
    assert printable(7) == ""


def test_facts_need_a_whole_aware_second() -> None:
    with pytest.raises(ValueError, match="aware"):
        replace(facts_by_rule(), made_at=NOW.replace(tzinfo=None))
    with pytest.raises(ValueError, match="whole seconds"):
        replace(facts_by_rule(), made_at=NOW + timedelta(microseconds=1))


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"\0\0\0\x20ftypisom", "video/mp4"),
        (b"\0\0\0\x20ftypqt  ", "video/quicktime"),
        (b"\0\0\0\x20ftypavif", "image/avif"),
        (b"RIFF\0\0\0\0WEBP", "image/webp"),
        (b"RIFF\0\0\0\0AVI ", None),
        (b"\x89PNG\r\n\x1a\n", "image/png"),
        (b"", None),
    ],
)
def test_the_kind_of_a_file_is_in_its_first_bytes(head: bytes, kind: str | None) -> None:
    assert media_type(head) == kind
