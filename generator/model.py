"""What every back end promises: progress, cancelling within one step, and no step unpermitted."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from generator.clip import Clip
from generator.shots import GeneratorError, Shot


class Cancelled(GeneratorError):
    """Raised by the caller's `watch` to stop; the back end lets it through and stays usable."""


class NotPermitted(GeneratorError):
    """Raised by the caller's `permit`: there is no valid ticket for exactly this shot."""


class GeneratorUnavailable(GeneratorError):
    """The model cannot be loaded or has stopped working; the message says what is missing."""


class DigitalSource(StrEnum):
    """IPTC NewsCodes digitalSourceType, as C2PA 2.4 wants it."""

    TRAINED = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
    BY_RULE = "http://cv.iptc.org/newscodes/digitalsourcetype/algorithmicMedia"
    COMPOSITE = "http://cv.iptc.org/newscodes/digitalsourcetype/compositeSynthetic"


@dataclass(frozen=True, slots=True)
class Origin:
    """What made a clip: goes into the manifest and the log.

    Attributes:
        name: of the back end, such as `scenes`.
        version: changes whenever the same shot may come out differently.
        source: a renderer by rule is never called a trained model.
        sha256: of the weights, hex, or empty where there are none.
    """

    name: str
    version: str
    source: DigitalSource
    sha256: str = ""


@dataclass(frozen=True, slots=True)
class Progress:
    """`step` of `steps` are done; `step` starts at 0, before anything was computed."""

    step: int
    steps: int


Permit = Callable[[Shot], None]
Watch = Callable[[Progress], None]


class VideoModel(Protocol):
    """Makes one clip at a time; not safe for two threads at once."""

    @property
    def origin(self) -> Origin: ...

    def check(self, shot: Shot) -> None:
        """Return if this back end can make `shot`, as far as can be told without loading it.

        Costs microseconds and imports no model library: it is asked when a request is admitted,
        in a process that must not load torch. `generate` asks again.

        Raises:
            ShotNotPossible: size, fps, length or prompt is beyond this back end.
        """
        ...

    def generate(self, shot: Shot, *, permit: Permit, watch: Watch, folder: Path) -> Clip:
        """Make the clip of `shot` in `folder`, which is empty or holds an earlier failed attempt.

        `permit(shot)` is called before step 0 and before anything costly; what it raises goes
        through. `watch` is called with step 0 and after each step; what it raises stops the work
        within that step, goes through, and leaves the back end ready for the next shot.

        Raises:
            ShotNotPossible: size, fps, length or prompt is beyond this back end.
            GeneratorUnavailable: the model cannot be loaded or run.
            NotPermitted, Cancelled: from the caller, see above.
        """
        ...
