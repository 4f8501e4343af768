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
REFERENCE_CLIP = Limits(
    bytes=20 << 20,
    pixels=1920 * 1088,
    frames=630,
    # An encoder rounds the sound of 20 s up to whole packets.
    seconds=21.0,
    streams=4,
    timeout_s=30.0,
    memory_bytes=2 << 30,
)
"""A film that somebody sends along: as long as one that we make."""
REFERENCE_SOUND = Limits(
    bytes=20 << 20,
    pixels=0,
    frames=0,
    seconds=60.0,
    streams=1,
    timeout_s=20.0,
    memory_bytes=512 << 20,
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
