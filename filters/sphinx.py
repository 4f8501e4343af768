"""The embedded reader of speech: pocketsphinx 5.1.1, whose wheel carries its English model.

It gets a third to five sixths of all words wrong (`python -m benchmarks.speech` says how often it
makes out words at all), so nothing is ever cleared or blocked on its word: what it makes out is a
hint for the person who listens. Only a worker asks it, since it does not let go of Python's lock.
"""

import hashlib
import threading
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pocketsphinx
from numpy.typing import NDArray

from filters.finding import FilterError, ModelUnavailable
from filters.sound import MODEL_RATE
from filters.transcript import Heard, Passage, Word

DETECTOR = "filters.sphinx@1"
# Over the names and SHA-256 of the files below, in order.
SHA256 = "ff5f664ff02f18f2da587faf448042339206f9c96789561f8a8eda0ebaffa873"
_FOLDER = Path("model") / "en-us"
_HMM = "en-us"
_FILES = (
    "cmudict-en-us.dict",
    "en-us.lm.bin",
    "en-us/feat.params",
    "en-us/mdef",
    "en-us/means",
    "en-us/noisedict",
    "en-us/sendump",
    "en-us/transition_matrices",
    "en-us/variances",
)
_REMEDY = "Install `imprimatur[gate]` with constraints.txt (pocketsphinx 5.1.1)."
# Far more than it takes for a few seconds of speech: only a machine that is stuck gets there.
SECONDS_PER_MINUTE = 15.0
# Two bytes a sample, a tenth of a second: how often it looks at the clock.
_BYTES = MODEL_RATE // 10 * 2
_FRAME_MS = 10


class Sphinx:
    """Makes out English words, some of them rightly.

    The model is opened when somebody speaks for the first time: half a second and 95 MB.

    Args:
        seconds: of speech, in each window and channel, that it tries; the rest is left out, so that
            the same sound gives the same hint on a slow machine and on a fast one.

    Raises:
        ModelUnavailable: the files are missing or not those we pinned.
    """

    clears = False
    detector = DETECTOR
    seconds_per_minute = SECONDS_PER_MINUTE

    def __init__(self, *, seconds: float) -> None:
        self._folder = Path(str(pocketsphinx.__file__)).parent / _FOLDER
        found = digest(self._folder)
        if found != SHA256:
            raise ModelUnavailable("a model is not the one we pinned", str(self._folder), _REMEDY)
        self._most = round(seconds * MODEL_RATE)
        self._decoder: pocketsphinx.Decoder | None = None
        self._turn = threading.Lock()

    def read(self, samples: NDArray[np.float32], *, until: float) -> Heard:
        """Return what it makes out by `until`; see `Reader`.

        Raises:
            FilterError: it broke down.
        """
        if not self._turn.acquire(timeout=max(0.0, until - time.monotonic())):
            return Heard((), 0.0)
        try:
            decoder = self._opened()
            # What it learnt about the last sound would change what it hears in this one.
            decoder.reinit_feat()
            decoder.start_utt()
            for block in _blocks(samples[: self._most]):
                if time.monotonic() > until:
                    break
                decoder.process_raw(block, False, False)  # noqa: FBT003 - takes no names
            decoder.end_utt()
            return Heard((Passage(tuple(_words(decoder.seg() or ())), is_sure=False),), 0.0)
        except (RuntimeError, ValueError, TypeError) as broken:
            self._decoder = None
            raise FilterError(f"{DETECTOR} failed: {type(broken).__name__}") from broken
        finally:
            self._turn.release()

    def _opened(self) -> "pocketsphinx.Decoder":
        if self._decoder is None:
            # A second pass over all that was said, when the time may be over, is left out.
            self._decoder = pocketsphinx.Decoder(
                hmm=str(self._folder / _HMM),
                lm=str(self._folder / "en-us.lm.bin"),
                dict=str(self._folder / "cmudict-en-us.dict"),
                samprate=MODEL_RATE,
                fwdflat=False,
                loglevel="FATAL",
            )
        return self._decoder


def digest(folder: Path) -> str:
    """Return the SHA-256 over the names and SHA-256 of the model's files.

    Raises:
        ModelUnavailable: one is missing.
    """
    whole = hashlib.sha256()
    for name in _FILES:
        try:
            content = (folder / name).read_bytes()
        except OSError as broken:
            raise ModelUnavailable("a model is missing", str(folder / name), _REMEDY) from broken
        whole.update(f"{name}\0{hashlib.sha256(content).hexdigest()}\n".encode())
    return whole.hexdigest()


def _blocks(samples: NDArray[np.float32]) -> Iterator[bytes]:
    raw = (samples * 32767).clip(-32768, 32767).astype("<i2").tobytes()
    for start in range(0, len(raw), _BYTES):
        yield raw[start : start + _BYTES]


def _words(segments: "Iterable[pocketsphinx.Segment]") -> Iterator[Word]:
    """Yield words without fillers; `to(2)` is another way to say `to`."""
    for one in segments:
        text = one.word.partition("(")[0]
        if text and text[0].isalnum():
            yield Word(text, one.start_frame * _FRAME_MS, (one.end_frame + 1) * _FRAME_MS)
