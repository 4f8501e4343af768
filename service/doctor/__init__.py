"""What is wrong with an installation, and the one command that mends each thing.

Everything here reads. A home that was never opened stays unmade, a key that is missing stays
missing: making a new one would hide that the old one is lost.
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from filters.finding import FilterError
from generator.model import GeneratorUnavailable
from likeness.faces import LikenessError
from provenance.failures import ProvenanceError
from rightsholders.claims import RightsError
from service import wiring
from service.audit.errors import AuditError
from service.certificates import CertificatesUnusable
from service.database import DatabaseUnavailable
from service.doctor import house, models, records
from service.doctor.said import START, Level, Said
from service.keys import KeyRingError
from service.media.errors import MediaError
from service.records.words import RecordsError
from service.settings import Settings, SettingsRefused, from_environment

__all__ = ["Finding", "Level", "examined", "of_settings"]

_KNOWN = (
    OSError, FilterError, LikenessError, RightsError, ProvenanceError, GeneratorUnavailable,
    AuditError, CertificatesUnusable, DatabaseUnavailable, KeyRingError, MediaError, RecordsError,
    ValueError,
)  # fmt: skip
_Check = Callable[[Settings], Said]


@dataclass(frozen=True, slots=True)
class Finding:
    """One check: what was seen, and the command that mends it, or empty."""

    name: str
    level: Level
    said: str
    fix: str = ""


def examined(now: Callable[[], datetime] = wiring.now) -> list[Finding]:
    """Return every finding, in order; without readable settings only that and Python."""
    python = Finding("python", Level.OK, ".".join(map(str, sys.version_info[:3])))
    try:
        settings = from_environment()
    except SettingsRefused as wrong:
        return [
            python,
            Finding("settings", Level.FAIL, str(wrong), "env | grep IMPRIMATUR_"),
        ]
    return [python, *of_settings(settings, now())]


def of_settings(settings: Settings, now: datetime) -> list[Finding]:
    """Return what is found with these settings at `now`."""
    return [_finding(name, check, settings, fix) for name, check, fix in _checks(now)]


def _checks(now: datetime) -> tuple[tuple[str, _Check, str], ...]:
    """Return each check with its name, and what mends a thing that cannot be opened at all."""
    again = "make clean demo"
    return (
        ("settings", house.environment, START),
        ("home", house.home, START),
        ("disk", house.disk, "df -h"),
        ("keys", house.keys, "restore the folder of keys from a backup"),
        ("database", house.database, "start the database, or free its disk"),
        ("log", house.log, "imprimatur audit verify"),
        ("erasures", records.erased, "put the newest erasures.jsonl back"),
        ("witnesses", house.witnesses, "imprimatur witness push"),
        ("clock", lambda chosen: house.clock(chosen, now), "timedatectl set-ntp true"),
        ("certificate", lambda chosen: house.certificate(chosen, now), "renew the certificate"),
        ("text encoder", models.encoder, "imprimatur models prepare"),
        ("prompt filter", models.prompt_filter, "git checkout -- filters/weights"),
        ("guards", models.guards, "imprimatur models list"),
        ("faces", models.faces, again),
        ("pictures", models.pictures, again),
        ("speech", models.speech, again),
        ("words", models.words, "git checkout -- rightsholders"),
        ("policy", models.policy, "imprimatur policy list"),
        ("generator", models.generator, "unset IMPRIMATUR_GENERATOR"),
        ("codecs", models.codecs, again),
        ("decoder", models.decoder, again),
        ("port", house.port, "imprimatur serve --port 8001"),
    )


def _finding(name: str, check: _Check, settings: Settings, fix: str) -> Finding:
    try:
        said = check(settings)
    except ImportError as missing:
        said = Said(Level.FAIL, f"not installed: {missing.name}", "make clean demo")
    except _KNOWN as broken:
        said = Said(Level.FAIL, str(broken), fix)
    return Finding(name, said.level, said.said, said.fix)
