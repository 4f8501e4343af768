import hashlib
from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from provenance.failures import CredentialsUnusable, SealFailed, SignFailed
from provenance.manifest import read
from provenance.report import State
from provenance.seal import Draw, Sealer
from provenance.signing import Authority, Credentials
from provenance.visible import PRESENT_FROM, VisibleMark
from service.media.writing import read_lumas
from tests.provenance.builders import (
    FPS,
    FRAMES,
    MARK,
    NOW,
    an_authority,
    credentials_of,
    encode,
    encode_with,
    facts_by_rule,
    facts_of_a_model,
    pictures,
)


def a_sealer(authority: Authority) -> Sealer:
    return Sealer(credentials_of(authority), authority.root_pem, lambda: NOW)


def test_a_sealed_film_carries_mark_and_manifest(authority: Authority, tmp_path: Path) -> None:
    target = tmp_path / "film.mp4"

    sealed = a_sealer(authority).seal(target, facts_of_a_model(), encode, read_lumas, mark=MARK)

    content = target.read_bytes()
    report = read(target, authority.root_pem)
    assert report is not None
    assert (report.state, report.facts) == (State.TRUSTED, facts_of_a_model())
    assert (sealed.sha256, sealed.bytes) == (hashlib.sha256(content).hexdigest(), len(content))
    assert sealed.manifest == report.label
    assert sealed.checks[0].least > sealed.checks[0].required == PRESENT_FROM
    assert list(tmp_path.iterdir()) == [target]
    assert all(MARK.presence(luma, n) > 0.9 for n, luma in enumerate(read_lumas(target)))


@pytest.mark.parametrize("blank", [0, 11, FRAMES - 1])
def test_one_frame_without_the_mark_is_enough_to_refuse(
    authority: Authority, tmp_path: Path, blank: int
) -> None:
    def encode_all_but_one(path: Path, draw: Draw | None) -> None:
        assert draw is not None
        encode_with(lambda luma, frame: None if frame == blank else draw(luma, frame), path)

    with pytest.raises(SealFailed, match=f"frame {blank} "):
        a_sealer(authority).seal(
            tmp_path / "a.mp4", facts_by_rule(), encode_all_but_one, read_lumas, mark=MARK
        )

    assert not list(tmp_path.iterdir())


def test_a_mark_that_was_painted_over_is_missed(authority: Authority, tmp_path: Path) -> None:
    def paint_over(path: Path, draw: Draw | None) -> None:
        def both(luma: NDArray[np.uint8], frame: int) -> None:
            assert draw is not None
            draw(luma, frame)
            if frame == 5:
                box = MARK.box(frame)
                luma[box.y : box.y + box.height, box.x : box.x + box.width] = 90

        encode_with(both, path)

    with pytest.raises(SealFailed, match="frame 5 "):
        a_sealer(authority).seal(
            tmp_path / "a.mp4", facts_by_rule(), paint_over, read_lumas, mark=MARK
        )


@pytest.mark.parametrize("frames", [FRAMES - 1, FRAMES - 8])
def test_a_film_with_missing_frames_is_refused(
    authority: Authority, tmp_path: Path, frames: int
) -> None:
    def too_short(path: Path, draw: Draw | None) -> None:
        encode_with(draw, path, pictures(frames))

    with pytest.raises(SealFailed, match="exactly"):
        a_sealer(authority).seal(
            tmp_path / "a.mp4", facts_by_rule(), too_short, read_lumas, mark=MARK
        )

    assert not list(tmp_path.iterdir())


def test_a_film_with_more_frames_than_promised_is_refused(
    authority: Authority, tmp_path: Path
) -> None:
    def twice(path: Path) -> Iterable[NDArray[np.uint8]]:
        yield from read_lumas(path)
        yield from read_lumas(path)

    with pytest.raises(SealFailed, match="exactly"):
        a_sealer(authority).seal(tmp_path / "a.mp4", facts_by_rule(), encode, twice, mark=MARK)


def test_facts_and_film_must_agree_about_the_mark(authority: Authority, tmp_path: Path) -> None:
    unmarked = replace(facts_by_rule(), visible_mark="")

    for facts, mark in ((facts_by_rule(), None), (unmarked, MARK)):
        with pytest.raises(SealFailed, match="disagree"):
            a_sealer(authority).seal(tmp_path / "a.mp4", facts, encode, read_lumas, mark=mark)


def test_a_film_may_be_sealed_without_a_visible_mark(authority: Authority, tmp_path: Path) -> None:
    facts = replace(facts_by_rule(), visible_mark="")

    sealed = a_sealer(authority).seal(tmp_path / "a.mp4", facts, encode, read_lumas, mark=None)

    assert sealed.checks == ()
    assert sealed.path.exists()


def test_expired_credentials_stop_before_anything_is_encoded(
    authority: Authority, tmp_path: Path
) -> None:
    encoded: list[Path] = []
    late = Sealer(credentials_of(authority), authority.root_pem, lambda: NOW + timedelta(days=400))

    with pytest.raises(CredentialsUnusable):
        late.seal(
            tmp_path / "a.mp4",
            facts_by_rule(),
            lambda path, _: encoded.append(path),
            read_lumas,
            mark=MARK,
        )

    assert not encoded


def test_a_manifest_under_another_root_is_refused(authority: Authority, tmp_path: Path) -> None:
    confused = Sealer(credentials_of(authority), an_authority().root_pem, lambda: NOW)

    with pytest.raises(SealFailed, match="untrusted"):
        confused.seal(tmp_path / "a.mp4", facts_by_rule(), encode, read_lumas, mark=MARK)

    assert not list(tmp_path.iterdir())


class DiskFull(OSError):
    """What a full disk looks like."""


class Stopped(Exception):
    """What a cancelled job raises."""


def half_written(path: Path, _: Draw | None) -> None:
    path.write_bytes(b"half")
    raise DiskFull


def stopped(path: Path, _: Draw | None) -> None:
    path.write_bytes(b"half")
    raise Stopped


def unreadable(path: Path) -> Iterable[NDArray[np.uint8]]:
    raise DiskFull


def test_whatever_fails_nothing_is_left(authority: Authority, tmp_path: Path) -> None:
    sealer = a_sealer(authority)
    mute = Sealer(Credentials(authority.chain_pem, lambda _: b""), authority.root_pem, lambda: NOW)
    target = tmp_path / "a.mp4"

    with pytest.raises(SealFailed):
        sealer.seal(target, facts_by_rule(), half_written, read_lumas, mark=MARK)
    with pytest.raises(Stopped):
        sealer.seal(target, facts_by_rule(), stopped, read_lumas, mark=MARK)
    with pytest.raises(SealFailed):
        sealer.seal(target, facts_by_rule(), encode, unreadable, mark=MARK)
    with pytest.raises(SignFailed):
        mute.seal(target, facts_by_rule(), encode, read_lumas, mark=MARK)

    assert not list(tmp_path.iterdir())


def test_a_mark_of_another_film_is_not_enough(authority: Authority, tmp_path: Path) -> None:
    other = VisibleMark(256, 256, fps=FPS, frame_count=FRAMES, seed=MARK.seed + 1)

    def wrong(path: Path, _: Draw | None) -> None:
        encode_with(other.draw, path)

    with pytest.raises(SealFailed, match="not found"):
        a_sealer(authority).seal(tmp_path / "a.mp4", facts_by_rule(), wrong, read_lumas, mark=MARK)
