import io
import json
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import c2pa
import pytest
from PIL import Image

from provenance import examine as room
from provenance.container import crowded
from provenance.examine import Anchors, Origin, examine, exit_code
from provenance.failures import NotReadable
from provenance.manifest import Unsupported, _settings, read, sign
from provenance.report import Document, State
from provenance.signing import BACKDATED, LEAF_DAYS, Authority, create_authority
from tests.provenance.builders import Signed, an_authority, credentials_of, facts_by_rule

NEVER = ("real", "fake", "authentic", "tamper", "human-made", "not ai", "stolen")


@pytest.fixture
def path(signed: Signed, tmp_path: Path) -> Path:
    path = tmp_path / "film.mp4"
    path.write_bytes(signed.content)
    return path


def test_a_film_of_a_development_installation_is_recognised_and_not_trusted(
    path: Path, signed: Signed
) -> None:
    examined = examine(path, Anchors(development_pem=signed.authority.root_pem))

    assert examined.origin is Origin.VALID_UNKNOWN_SIGNER
    assert "development installation" in examined.headline
    assert examined.report is not None
    assert examined.report.facts is not None


def test_a_development_root_among_the_public_ones_is_still_not_trusted(
    path: Path, signed: Signed
) -> None:
    examined = examine(path, Anchors(public_pem=signed.authority.root_pem))

    assert examined.origin is Origin.VALID_UNKNOWN_SIGNER


def test_a_film_signed_by_a_stranger_is_unchanged_but_unknown(path: Path) -> None:
    for anchors in (Anchors(), Anchors(development_pem=an_authority().root_pem)):
        examined = examine(path, anchors)
        assert examined.origin is Origin.VALID_UNKNOWN_SIGNER
        assert examined.headline == "Signed and unchanged, but we don't know this signer."


def test_a_signer_with_a_public_root_is_trusted(
    path: Path, signed: Signed, monkeypatch: pytest.MonkeyPatch
) -> None:
    # No public authority signs for us here: the word that marks ours as none is taken away.
    monkeypatch.setattr(room, "DEVELOPMENT", "ANOTHER WORD")

    examined = examine(path, Anchors(public_pem=signed.authority.root_pem))

    assert examined.origin is Origin.TRUSTED
    assert examined.headline.startswith("Made with AI by Imprimatur UNTRUSTED DEVELOPMENT")
    assert examined.headline.endswith("The file has not changed since it was signed.")


def test_a_changed_film_is_altered_and_what_it_says_is_not_repeated(
    path: Path, signed: Signed
) -> None:
    content = bytearray(signed.content)
    content[-50] ^= 4
    path.write_bytes(content)

    examined = examine(path, Anchors(development_pem=signed.authority.root_pem))

    assert examined.origin is Origin.ALTERED
    assert "assertion.bmffHash.mismatch" in examined.headline
    assert "req_1" not in examined.headline + " ".join(examined.details)


def test_a_film_whose_signer_has_expired_is_not_called_changed(film: Path, tmp_path: Path) -> None:
    # The library signs and checks by the machine's clock: the leaf has two seconds to live.
    now = datetime.now(UTC)
    dying = create_authority(now - timedelta(days=LEAF_DAYS, seconds=-2) + BACKDATED)
    path = tmp_path / "film.mp4"
    sign(film, path, facts_by_rule(), credentials_of(dying), now=now)
    assert examine(path, Anchors()).headline.endswith("we don't know this signer.")

    time.sleep(3.1)

    examined = examine(path, Anchors(public_pem=dying.root_pem))
    assert examined.origin is Origin.VALID_UNKNOWN_SIGNER
    assert examined.headline.endswith("the signer's certificate has expired since.")


def test_no_credentials_prove_nothing(film: Path) -> None:
    examined = examine(film, Anchors())

    assert examined.origin is Origin.NO_CREDENTIALS
    assert examined.headline == "We found no mark. That tells you nothing about how it was made."


def test_a_kind_that_we_cannot_check_is_said_to_be_so(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("hello")

    assert examine(path, Anchors()).origin is Origin.UNSUPPORTED


def test_a_file_that_cannot_be_read_is_an_error_and_no_answer(tmp_path: Path) -> None:
    with pytest.raises(NotReadable):
        examine(tmp_path / "nowhere.mp4", Anchors())


def test_no_answer_speaks_of_truth(path: Path, film: Path, signed: Signed, tmp_path: Path) -> None:
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(signed.content[:-9])
    text = tmp_path / "notes.txt"
    text.write_text("hello")

    for file in (path, film, broken, text):
        examined = examine(file, Anchors(development_pem=signed.authority.root_pem))
        said = " ".join((examined.headline, *examined.details)).lower()
        assert not [word for word in NEVER if word in said]
        assert examined.validator.startswith("c2pa-rs 0.")


def test_every_answer_has_its_own_exit_status() -> None:
    codes = {origin: exit_code(origin) for origin in Origin}

    assert codes == {
        Origin.TRUSTED: 0,
        Origin.VALID_UNKNOWN_SIGNER: 10,
        Origin.NO_CREDENTIALS: 11,
        Origin.ALTERED: 20,
        Origin.UNSUPPORTED: 30,
    }


def a_strangers_picture(path: Path, authority: Authority, *sources: str, text: str = "x") -> Path:
    """A PNG with Content Credentials that this project did not write."""
    said = {
        "claim_version": 2,
        "claim_generator_info": [{"name": text, "version": text}],
        "title": text,
        "assertions": [
            {
                "label": "c2pa.actions.v2",
                "data": {
                    "actions": [
                        {
                            "action": "c2pa.edited" if number else "c2pa.created",
                            "digitalSourceType": source,
                            "softwareAgent": {"name": text},
                        }
                        for number, source in enumerate(sources)
                    ]
                },
            }
        ],
    }
    keys = c2pa.C2paSignerInfo(
        c2pa.C2paSigningAlg.ES256, authority.chain_pem, authority.key_pem, None
    )
    labels = ("c2pa.actions", "c2pa.actions.v2")
    context = c2pa.Context.from_dict(_settings(b"", labels), c2pa.Signer.from_info(keys))
    bare = io.BytesIO()
    Image.new("RGB", (8, 8), 90).save(bare, "PNG")
    with path.open("w+b") as after:
        c2pa.Builder(json.dumps(said), context=context).sign("image/png", bare, after)
    return path


# The kinds of contentauth/c2pa-attacks: script, SQL, marks that turn text around, sheer length.
ATTACKS = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'; DROP TABLE manifests; --",
    "\u202egnp.exe\x1b[31m\r\nAll is well",
    "A" * 10_000,
]


@pytest.mark.parametrize("text", ATTACKS, ids=lambda text: text[:12])
def test_what_a_stranger_wrote_stays_one_short_line(
    tmp_path: Path, authority: Authority, text: str
) -> None:
    path = a_strangers_picture(tmp_path / "a.png", authority, text, text=text)

    examined = examine(path, Anchors())

    lines = (examined.headline, *examined.details)
    assert all(line.isprintable() and len(line) < 1000 for line in lines)
    assert text not in examined.headline
    assert examined.origin is Origin.VALID_UNKNOWN_SIGNER


def test_a_manifest_of_a_thousand_actions_gives_a_short_answer(
    tmp_path: Path, authority: Authority
) -> None:
    sources = [f"http://example.org/{number}" for number in range(1000)]
    report = read(a_strangers_picture(tmp_path / "a.png", authority, *sources), b"")

    assert report is not None
    assert len(report.digital_sources) == 32


IPTC = "http://cv.iptc.org/newscodes/digitalsourcetype/"


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("trainedAlgorithmicMedia", "Made with AI by "),
        ("compositeWithTrainedAlgorithmicMedia", "Made with AI by "),
        ("algorithmicMedia", "Made by software by "),
        ("digitalCapture", "Signed by "),
    ],
)
def test_a_camera_s_picture_is_not_said_to_be_made_by_software(
    tmp_path: Path,
    authority: Authority,
    monkeypatch: pytest.MonkeyPatch,
    source: str,
    said: str,
) -> None:
    monkeypatch.setattr(room, "DEVELOPMENT", "ANOTHER WORD")
    path = a_strangers_picture(tmp_path / "a.png", authority, IPTC + source)

    assert examine(path, Anchors(public_pem=authority.root_pem)).headline.startswith(said)


def test_a_revoked_signer_is_neither_trusted_nor_unknown() -> None:
    # `--require valid` accepts an unknown signer; one that was called back it must not.
    results = {
        "success": [
            {"code": "claimSignature.validated"},
            {"code": "assertion.bmffHash.match"},
        ],
        "failure": [{"code": "signingCredential.ocsp.revoked"}],
    }
    document = Document(
        {"validation_state": "Invalid", "validation_results": {"activeManifest": results}}
    )

    assert document.report(None, []).state is State.INVALID


@pytest.mark.parametrize("head", [b"", b"moov"])
def test_a_file_in_too_many_pieces_is_not_handed_to_the_library(
    tmp_path: Path, head: bytes
) -> None:
    inner = b"\0\0\0\x08free" * 100_000
    path = tmp_path / "a.mp4"
    box = (8 + len(inner)).to_bytes(4) + head if head else b""
    path.write_bytes(b"\0\0\0\x10ftypisom\0\0\0\0" + box + inner)
    began = time.process_time()

    assert examine(path, Anchors()).origin is Origin.UNSUPPORTED
    assert time.process_time() - began < 0.5


def test_a_picture_in_too_many_pieces_is_not_handed_to_the_library(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(12) * 100_000)

    assert crowded(path)
    with pytest.raises(Unsupported, match="pieces"):
        read(path, b"")
