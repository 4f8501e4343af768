"""The form of a policy document: where its bytes become values."""

from datetime import date
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from service.decision import Gate, Owner, Purpose, Stage

# Stands in the log, in columns and on terminals.
Name = Annotated[str, Field(pattern=r"^[ -~]{1,100}$")]
# Strict, so that `true` is no 1.0.
Score = Annotated[float, Field(ge=0, le=1, strict=True)]
Said = Annotated[str, Field(min_length=10, max_length=500)]
_Word = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,39}$")]
_Id = Annotated[str, Field(pattern=r"^[!-~]{1,80}$")]


class _Form(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Limits(_Form):
    """From which score on; both are said, `never` too."""

    hold: Score | Literal["never"]
    block: Score | Literal["never"]


class ExceptionForm(_Form):
    """Other thresholds for some requests."""

    surfaces: list[str] = Field(default=[])
    projects: list[_Id] = Field(default=[])
    territories: list[Annotated[str, Field(pattern=r"^[A-Z]{2}$")]] = Field(default=[])
    plans: list[_Word] = Field(default=[])
    purposes: list[Purpose] = Field(default=[])
    until: date | None = None
    hold: Score | Literal["never"]
    block: Score | Literal["never"]


class RuleForm(_Form):
    """One category and what it means."""

    id: Annotated[str, Field(pattern=r"^[a-z][a-z0-9/_-]{2,79}$")]
    category: str
    owner: Owner
    message: Said
    remedy: Annotated[str, Field(min_length=5, max_length=500)]
    thresholds: dict[str, Limits]
    exceptions: list[ExceptionForm] = Field(default=[])
    fixed: Annotated[bool, Field(strict=True)] = False


class JoinedForm(_Form):
    """One of the observations that a join needs."""

    categories: list[str] = Field(min_length=1)
    surfaces: list[str] = Field(default=[])
    at_least: Score


class JoinForm(_Form):
    """A rule over several observations."""

    id: Annotated[str, Field(pattern=r"^[a-z][a-z0-9/_-]{2,79}$")]
    code: Annotated[str, Field(pattern=r"^policy\.[a-z][a-z_]{1,39}$")]
    owner: Owner
    message: Said
    remedy: Annotated[str, Field(min_length=5, max_length=500)]
    verdict: Literal["hold", "block"]
    parts: Literal["anywhere", "same", "different"]
    all_of: list[JoinedForm] = Field(min_length=2, max_length=4)


class Form(_Form):
    """A whole document."""

    id: Name
    version: Name
    # Every film carries the mark; a policy that leaves it out would promise something else.
    conditions: list[Literal["visible_mark"]] = Field(min_length=1)
    requires: dict[Stage, list[Gate]]
    detectors: list[Annotated[str, Field(pattern=r"^[a-z_]+(\.[a-z0-9_]+)+(@[0-9a-f.]+)?$")]] = (
        Field(min_length=1)
    )
    rules: list[RuleForm] = Field(min_length=1)
    joins: list[JoinForm] = Field(default=[])
