"""Every knob, read once. The only file that reads the environment."""

import os
from pathlib import Path
from typing import Annotated, Literal, Self

from platformdirs import user_cache_path, user_data_path
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    model_validator,
)
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError

PREFIX = "IMPRIMATUR_"
# Pictures that a gate is expected to look at in the time that it has for a text; with each it is
# given so much more.
LOOKS_IN_TIME = 8


class SettingsRefused(Exception):
    """A setting is unknown, wrong or unsafe; the message names it and says what to do."""


_Language = Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}$")]


class GuardChoice(BaseModel):
    """A guard model beside the prompt filter; see docs/guards.md.

    Attributes:
        family: how it is asked and read.
        model: a folder, or an id of the hub.
        sha256: of its files, as `imprimatur models digest` prints it.
        timeout_s: a text that it has not judged by then is held.
        surfaces: where it is asked.
        languages: ISO 639 codes it is trusted with; empty for those of its card.
        labels: of a `classifier`: each of its labels, and our category or null.
        device: as torch calls it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    family: Literal[
        "llama_guard",
        "llama_guard_4",
        "qwen3guard",
        "shieldgemma",
        "granite_guardian",
        "gpt_oss_safeguard",
        "classifier",
    ]
    model: str = Field(min_length=1)
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    timeout_s: float = Field(default=5.0, gt=0)
    surfaces: frozenset[Literal["prompt", "speech"]] = Field(
        default=frozenset({"prompt"}), min_length=1
    )
    languages: frozenset[_Language] = frozenset()
    labels: dict[str, str | None] = {}
    device: str = "cpu"


class ImageModelChoice(BaseModel):
    """An image classifier beside the packaged detector; see docs/image-models.md.

    Attributes:
        family: how it is asked and read.
        model: a folder, or an id of the hub.
        sha256: of its files, as `imprimatur models digest` prints it.
        timeout_s: a picture that it has not judged by then is held.
        surfaces: where it is asked.
        labels: each of its labels, of `zero_shot` each sentence, and our category or null.
        device: as torch calls it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    family: Literal["classifier", "zero_shot", "shieldgemma2"]
    model: str = Field(min_length=1)
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    timeout_s: float = Field(default=1.0, gt=0)
    surfaces: frozenset[Literal["picture", "frames"]] = Field(
        default=frozenset({"picture", "frames"}), min_length=1
    )
    labels: dict[str, str | None] = {}
    device: str = "cpu"


class WhisperChoice(BaseModel):
    """A Whisper that reads speech; see docs/speech.md.

    Attributes:
        model: a folder as CTranslate2 converts it; never an id.
        sha256: of its files, as `imprimatur models digest` prints it.
        threads: of the processor.
        compute_type: as CTranslate2 calls it.
        device: `cpu` or `cuda`.
        timeout_s: how long it may take for a minute of sound; what it has not read by then is held.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: Path
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    threads: int = Field(default=2, ge=1, le=256)
    compute_type: Literal[
        "int8", "int8_float16", "int8_bfloat16", "int16", "float16", "bfloat16", "float32"
    ] = "int8"
    device: Literal["cpu", "cuda"] = "cpu"
    timeout_s: float = Field(default=8.0, gt=0)


class Settings(BaseSettings):
    """Read from `IMPRIMATUR_*`; see docs/operating.md for each.

    Attributes:
        environment: `production` refuses every stand-in that is called unsafe.
        home: database, keys, blobs; mode 0700.
        cache: what can be made again, such as the exported text encoder.
        database_url: empty for SQLite inside `home`.
        generator: which back end makes the clips.
        ltx2_model: folder or id for `generator=ltx2`.
        ltx2_device: where it runs, such as `cuda`, `cuda:1` or `cpu`.
        offline: never ask a model hub.
        policy: a policy document; empty for the packaged default.
        origin: the name of the log in its checkpoints; never change it once the log has entries.
        public_url: where this service is reached, for links in decisions; empty for host and port.
        signer: `development_ca` makes an untrusted certificate on first start; `files` reads
            `signer_chain` and `signer_key` (PEM).
        workers: worker processes started by `serve`.
        lease_s: how long a silent worker keeps its job.
        ticket_s: how long a permission to generate is valid.
        witnesses: who cosigns the log's checkpoints: address and public key, parted by commas.
        witness_every_s: how often they are asked.
        retention_days_values: how long prompts and other private values lie beside the log.
        retention_days_requests: how long the requests of jobs that have ended are kept.
        gate_timeout_s: gates that have not answered by then are unavailable, which is a hold.
        guards: guard models asked about texts, as a JSON list; see docs/guards.md.
        image_models: image classifiers asked about pictures and frames, as a JSON list; see
            docs/image-models.md.
        whisper: what reads speech, as a JSON object; without it all speech is held.
        sphinx_s: how many seconds of speech, of every half minute of a clip, the embedded reader
            tries, as a hint for the person who listens; 0 for never.
    """

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="forbid")

    environment: Literal["development", "production"] = "development"
    home: Path = Field(default_factory=lambda: user_data_path("imprimatur"))
    cache: Path = Field(default_factory=lambda: user_cache_path("imprimatur"))
    database_url: str = Field(default="", repr=False)
    generator: Literal["scenes", "ltx2"] = "scenes"
    ltx2_model: str = ""
    ltx2_device: str = "cuda"
    offline: bool = True
    policy: Path | None = None
    origin: str = Field(default="imprimatur.local/log", pattern=r"^[a-z0-9.-]+(/[A-Za-z0-9._-]+)*$")
    public_url: str = ""
    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=1, le=65535)
    signer: Literal["development_ca", "files"] = "development_ca"
    signer_chain: Path | None = None
    signer_key: Path | None = None
    workers: int = Field(default=1, ge=0, le=64)
    lease_s: float = Field(default=30.0, gt=0)
    ticket_s: int = Field(default=86_400, ge=60)
    gate_timeout_s: float = Field(default=10.0, gt=0)
    guards: tuple[GuardChoice, ...] = ()
    image_models: tuple[ImageModelChoice, ...] = ()
    whisper: WhisperChoice | None = None
    sphinx_s: float = Field(default=4.0, ge=0, le=30)
    witnesses: str = ""
    witness_every_s: float = Field(default=60.0, ge=1)
    retention_days_values: int = Field(default=180, ge=1, le=3650)
    retention_days_requests: int = Field(default=30, ge=1, le=3650)

    @property
    def address(self) -> str:
        """Where this service is reached, without a slash at the end."""
        return self.public_url.rstrip("/") or f"http://{self.host}:{self.port}"

    @property
    def url(self) -> str:
        """The database's address."""
        return self.database_url or f"sqlite:///{self.home / 'imprimatur.sqlite3'}"

    @model_validator(mode="after")
    def _safe(self) -> Self:
        if self.generator == "ltx2" and not self.ltx2_model:
            raise ValueError(f"{PREFIX}GENERATOR=ltx2 needs {PREFIX}LTX2_MODEL, a folder or an id")
        if self.lease_s <= 2 * self.gate_timeout_s:
            raise ValueError(
                f"{PREFIX}LEASE_S must be over twice {PREFIX}GATE_TIMEOUT_S: a late gate is "
                "a hold, and must not cost the lease"
            )
        if sum(one.timeout_s for one in self.guards) >= self.gate_timeout_s:
            raise ValueError(
                f"{PREFIX}GUARDS: their timeout_s add up to {PREFIX}GATE_TIMEOUT_S or more, so "
                "that the gate would be late before they are"
            )
        # Each picture has its own time, in the model and at the gate.
        if sum(one.timeout_s for one in self.image_models) * LOOKS_IN_TIME > self.gate_timeout_s:
            raise ValueError(
                f"{PREFIX}IMAGE_MODELS: their timeout_s add up to more than an eighth of "
                f"{PREFIX}GATE_TIMEOUT_S, which is what a gate has for each picture"
            )
        if self.whisper is not None and self.whisper.timeout_s >= self.gate_timeout_s:
            raise ValueError(
                f"{PREFIX}WHISPER: its timeout_s is {PREFIX}GATE_TIMEOUT_S or more, so that the "
                "gate would be late before it is"
            )
        if self.signer == "files" and not (self.signer_chain and self.signer_key):
            raise ValueError(
                f"{PREFIX}SIGNER=files needs {PREFIX}SIGNER_CHAIN and {PREFIX}SIGNER_KEY"
            )
        if self.environment == "production" and self.signer == "development_ca":
            raise ValueError(
                f"{PREFIX}ENVIRONMENT=production refuses the development certificate authority: "
                f"set {PREFIX}SIGNER=files with a certificate of your own"
            )
        return self


def from_environment() -> Settings:
    """Return the settings.

    Raises:
        SettingsRefused: a name that starts with `IMPRIMATUR_` is unknown (pydantic-settings would
            pass over a misspelt threshold in silence), or a value does not fit.
    """
    known = {PREFIX + name.upper() for name in Settings.model_fields}
    strange = sorted(
        name for name in os.environ if name.upper().startswith(PREFIX) and name.upper() not in known
    )
    if strange:
        raise SettingsRefused(
            f"unknown setting {', '.join(strange)}: correct the name or unset it; "
            f"known are {', '.join(sorted(known))}"
        )
    try:
        return Settings()
    except ValidationError as broken:
        first = broken.errors()[0]
        where = PREFIX + str(first["loc"][0]).upper() if first["loc"] else "settings"
        raise SettingsRefused(f"{where}: {first['msg'].removeprefix('Value error, ')}") from None
    except SettingsError as broken:  # a list or an object that is no JSON
        named = (name for name in ("whisper", "image_models") if f'"{name}"' in str(broken))
        name = next(named, "guards").upper()
        raise SettingsRefused(f"{PREFIX}{name}: {broken}") from None
