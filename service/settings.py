"""Every knob, read once. The only file that reads the environment."""

import os
from pathlib import Path
from typing import Literal, Self

from platformdirs import user_cache_path, user_data_path
from pydantic import Field, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

PREFIX = "IMPRIMATUR_"


class SettingsRefused(Exception):
    """A setting is unknown, wrong or unsafe; the message names it and says what to do."""


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
        gate_timeout_s: gates that have not answered by then are unavailable, which is a hold.
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
