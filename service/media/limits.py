"""How much of a stranger's file we are ready to open."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Everything above is refused, before decoding where the header tells.

    Attributes:
        bytes: of the file.
        pixels: of one frame.
        frames: of the film; 1 for pictures.
        seconds: of the film.
        streams: tracks of any kind in the film.
        timeout_s: wall time for decoding, and CPU time as well.
        memory_bytes: address space of the decoding process; a file whose header asks for more is
            refused as too many pixels.
    """

    bytes: int
    pixels: int
    frames: int
    seconds: float
    streams: int
    timeout_s: float
    memory_bytes: int


PICTURE = Limits(
    bytes=20 << 20,
    pixels=50_000_000,
    frames=1,
    seconds=0.0,
    streams=1,
    timeout_s=20.0,
    memory_bytes=2 << 30,
)
CLIP = Limits(
    bytes=500 << 20,
    pixels=1920 * 1088,
    frames=1800,
    seconds=60.0,
    streams=4,
    timeout_s=120.0,
    memory_bytes=2 << 30,
)
