"""LTX-2 by folder or id through diffusers: picture and sound from one trained model.

torch and diffusers are imported when the first permitted shot is made, never before. The folder
is checked and hashed, so that the manifest says which weights made a clip.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from generator.clip import (
    BLOCK_FRAMES,
    SAMPLE_RATE,
    Clip,
    new_frames,
    open_clip,
    sample_count,
    save_sound,
)
from generator.model import DigitalSource, GeneratorUnavailable, Origin, Permit, Progress, Watch
from generator.shots import Limits, Shot, ShotNotPossible, Size
from generator.weights import check_folder, digest

if TYPE_CHECKING:
    import torch
    from diffusers import LTX2ImageToVideoPipeline, LTX2Pipeline
    from diffusers.pipelines.ltx2.pipeline_output import LTX2PipelineOutput
    from PIL import Image

_NEEDED = frozenset(
    {
        "scheduler",
        "vae",
        "audio_vae",
        "text_encoder",
        "tokenizer",
        "connectors",
        "transformer",
        "vocoder",
    }
)


@dataclass(frozen=True, slots=True)
class Profile:
    """How one checkpoint wants to be called.

    Attributes:
        name: for the origin, such as `ltx-2.3-distilled`.
        limits: sizes, rates and lengths it can make.
        steps: denoising steps; `sigmas` replaces the even schedule where a checkpoint was
            distilled to its own.
        guidance: 1.0 means off, as a distilled checkpoint needs; else of text, for both pictures
            and sound.
        tokens: longest prompt, in tokens; divisible by the connectors' learnable registers.
        dtype: of the weights in memory: `bfloat16` or `float32`.
    """

    name: str
    limits: Limits
    steps: int
    sigmas: tuple[float, ...] = ()
    guidance: float = 1.0
    tokens: int = 1024
    dtype: str = "bfloat16"


DISTILLED = Profile(
    name="ltx2-distilled",
    limits=Limits(
        min_side=256, max_side=1280, max_pixels=1280 * 720, min_fps=8, max_fps=30, max_seconds=20
    ),
    steps=8,
    # DISTILLED_SIGMA_VALUES of diffusers 0.42.1, copied because importing diffusers loads torch.
    sigmas=(1.0, 0.99375, 0.9875, 0.98125, 0.975, 0.909375, 0.725, 0.421875),
)


class Ltx2:
    """A `VideoModel` over diffusers' `LTX2Pipeline`; a first frame begins the clip, cropped to fit.

    Args:
        source: a folder, or the id of a repository on the hub or in its cache.
        device: as torch names it: `cuda`, `cuda:1`, `cpu`.
        offline: never ask the network; an id must then be in the cache already.
    """

    def __init__(
        self, source: str, profile: Profile = DISTILLED, *, device: str, offline: bool
    ) -> None:
        self._source, self._profile = source, profile
        self._device, self._offline = device, offline
        self._pipeline: LTX2Pipeline | None = None
        self._origin: Origin | None = None

    @property
    def origin(self) -> Origin:
        """See `VideoModel.origin`; the first look reads all weights, minutes for a large model.

        Raises:
            GeneratorUnavailable: the weights are missing, incomplete or cut short.
        """
        if self._origin is None:
            folder = self._folder()
            check_folder(folder, _NEEDED)
            settings = hashlib.sha256(repr(self._profile).encode()).hexdigest()[:8]
            self._origin = Origin(
                self._profile.name, f"1-{settings}", DigitalSource.TRAINED, digest(folder)
            )
        return self._origin

    def check(self, shot: Shot) -> None:
        """See `VideoModel.check`."""
        self._profile.limits.check(shot)
        if shot.negative and self._profile.guidance <= 1:
            # Without guidance the pipeline never reads it, and what was to be kept out is not.
            raise ShotNotPossible(
                "negative: this checkpoint runs without guidance and cannot heed it"
            )

    def generate(self, shot: Shot, *, permit: Permit, watch: Watch, folder: Path) -> Clip:
        """See `VideoModel.generate`; the last step is decoding."""
        self.check(shot)
        permit(shot)
        steps = self._profile.steps + 1
        watched = _Watched(watch, steps)
        watched(0)
        # diffusers and torch fail with these; what the caller's watch raised goes through as it is.
        try:
            pipeline = self._loaded()
            made = self._made(pipeline, shot, watched)
            clip = _written(made, shot, folder, _sample_rate(pipeline))
        except (
            RuntimeError, ValueError, TypeError, LookupError, AttributeError, OSError, ImportError,
        ) as broken:  # fmt: skip
            if watched.calling:
                raise
            raise GeneratorUnavailable(f"{self._profile.name} failed: {broken}") from broken
        watched(steps)
        return clip

    def _made(
        self, pipeline: "LTX2Pipeline", shot: Shot, watched: "_Watched"
    ) -> "LTX2PipelineOutput":
        import torch

        def after(_pipe: object, step: int, _time: object, kept: dict[str, Any]) -> dict[str, Any]:
            # Raising is the only way out: `_interrupt` skips the rest and decodes what there is.
            watched(step + 1)
            return kept

        profile = self._profile
        spatial, temporal = (
            pipeline.vae_spatial_compression_ratio,
            pipeline.vae_temporal_compression_ratio,
        )
        grid = Size(_up_to(shot.size.width, spatial), _up_to(shot.size.height, spatial))
        begun, given = _with_first_frame(pipeline, shot, grid)
        return begun(
            **given,
            prompt=shot.prompt,
            negative_prompt=shot.negative or None,
            width=grid.width,
            height=grid.height,
            # Always said: a checkpoint with a duration head would choose its own length.
            num_frames=_up_to(shot.frame_count - 1, temporal) + 1,
            frame_rate=float(shot.fps),
            num_inference_steps=profile.steps,
            sigmas=list(profile.sigmas) or None,
            generator=torch.Generator("cpu").manual_seed(shot.seed),
            # The defaults make up to four passes a step and name a block that small models lack.
            # An audio value of nought falls back to the picture's (`or`): both are said.
            guidance_scale=profile.guidance,
            audio_guidance_scale=profile.guidance,
            stg_scale=0.0,
            audio_stg_scale=0.0,
            modality_scale=1.0,
            audio_modality_scale=1.0,
            guidance_rescale=0.0,
            audio_guidance_rescale=0.0,
            spatio_temporal_guidance_blocks=None,
            # A rewritten prompt would be text that no gate has seen.
            enable_prompt_enhancement=False,
            max_sequence_length=profile.tokens,
            callback_on_step_end=after,
            output_type="pt",
        )

    def _loaded(self) -> "LTX2Pipeline":
        if self._pipeline is not None:
            return self._pipeline
        _ = self.origin
        try:
            import torch
            from diffusers import LTX2Pipeline
            from safetensors import SafetensorError
        except ImportError as missing:
            raise GeneratorUnavailable(f"install the `generate` extra: {missing}") from missing
        # Only what was checked and hashed is loaded: from the folder, as safetensors, offline.
        try:
            pipeline = LTX2Pipeline.from_pretrained(
                str(self._folder()),
                local_files_only=True,
                use_safetensors=True,
                dtype=getattr(torch, self._profile.dtype),
            )
        except SafetensorError as broken:
            raise GeneratorUnavailable(f"{self._source} cannot be loaded: {broken}") from broken
        pipeline.set_progress_bar_config(disable=True)
        self._pipeline = pipeline.to(self._device)
        return self._pipeline

    def _folder(self) -> Path:
        local = Path(self._source)
        if local.is_dir():
            return local
        if local.is_absolute() or self._source.count("/") != 1:
            raise GeneratorUnavailable(f"no folder {self._source}")
        from huggingface_hub import snapshot_download
        from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

        try:
            return Path(snapshot_download(self._source, local_files_only=self._offline))
        except (LocalEntryNotFoundError, HfHubHTTPError, ValueError, OSError) as missing:
            way = "offline and not in the cache" if self._offline else "not to be had from the hub"
            raise GeneratorUnavailable(f"{self._source}: {way}") from missing


class _Watched:
    """Counts the steps for `watch`; `calling` stays true when it raised."""

    def __init__(self, watch: Watch, steps: int) -> None:
        self._watch, self._steps = watch, steps
        self.calling = False

    def __call__(self, step: int) -> None:
        self.calling = True
        self._watch(Progress(step, self._steps))
        self.calling = False


def _with_first_frame(
    pipeline: "LTX2Pipeline", shot: Shot, grid: Size
) -> "tuple[LTX2Pipeline | LTX2ImageToVideoPipeline, dict[str, Image.Image]]":
    """Return the pipeline for `shot` on the same weights, and what it is given to begin with."""
    if shot.first_frame is None:
        return pipeline, {}
    from diffusers import LTX2ImageToVideoPipeline
    from PIL import Image, ImageOps

    # Not by `from_pipe`: it casts every weight that both share, to float32 unless told otherwise.
    begun = LTX2ImageToVideoPipeline(**pipeline.components)
    begun.set_progress_bar_config(disable=True)
    picture = Image.fromarray(shot.first_frame)
    filled = ImageOps.fit(picture, (grid.width, grid.height), Image.Resampling.LANCZOS)
    # As a picture and not as numbers: the pipeline compresses it as the checkpoint learnt it.
    return begun, {"image": filled}


def _up_to(number: int, multiple: int) -> int:
    return -(-number // multiple) * multiple


def _sample_rate(pipeline: "LTX2Pipeline") -> int:
    return int(pipeline.vocoder.config.output_sampling_rate)


def _written(made: "LTX2PipelineOutput", shot: Shot, folder: Path, rate: int) -> Clip:
    """Trim to the exact frames, size and samples, block by block, into `folder`."""
    pictures: torch.Tensor = made.frames[0]
    down = (pictures.shape[2] - shot.size.height) // 2
    right = (pictures.shape[3] - shot.size.width) // 2
    frames = new_frames(folder, shot)
    for first in range(0, shot.frame_count, BLOCK_FRAMES):
        last = min(first + BLOCK_FRAMES, shot.frame_count)
        block = pictures[
            first:last, :, down : down + shot.size.height, right : right + shot.size.width
        ]
        # A NaN would become an arbitrary picture without a word.
        if not bool(block.isfinite().all()):
            raise GeneratorUnavailable("the model made values that are not numbers")
        frames[first:last] = (
            (block.float().clamp(0, 1) * 255).round().byte().permute(0, 2, 3, 1).cpu().numpy()
        )
    heard = made.audio[0].float().cpu().numpy()
    if not np.isfinite(heard).all():
        raise GeneratorUnavailable("the model made values that are not numbers")
    save_sound(folder, exact_sound(heard, rate, sample_count(shot.frame_count, shot.fps)))
    frames.flush()  # type: ignore[attr-defined]  # a memmap, typed as the array it is
    return open_clip(folder, shot.fps)


def exact_sound(samples: NDArray[np.float32], rate: int, count: int) -> NDArray[np.float32]:
    """Return sound of shape (channels, samples) at `rate` as (count, 2) at `SAMPLE_RATE`.

    Resampled through its spectrum, then trimmed, or padded with silence; one channel is heard on
    both sides.
    """
    stereo = np.repeat(samples, 2, axis=0) if len(samples) == 1 else samples[:2]
    # Padded to whole tenths of a second: the transform needs small factors, and both lengths whole.
    length = _up_to(stereo.shape[1] + rate // 10, rate // 10)
    wanted = length * 10 // rate * (SAMPLE_RATE // 10)
    spectrum = np.fft.rfft(stereo, length, axis=1)
    kept = np.zeros((2, wanted // 2 + 1), dtype=np.complex128)
    both = min(kept.shape[1], spectrum.shape[1])
    kept[:, :both] = spectrum[:, :both]
    sound = np.fft.irfft(kept, wanted, axis=1) * (wanted / length)
    exact = np.zeros((count, 2), dtype=np.float32)
    # What was padded is silence; what rings over its edge is cut with it.
    last = min(count, round(stereo.shape[1] * SAMPLE_RATE / rate))
    exact[:last] = np.clip(sound.T[:last], -1, 1)
    return exact
