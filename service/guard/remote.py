"""Asking a service over HTTP: the same decision, and no publishing."""

from fractions import Fraction
from typing import Literal, NoReturn
from urllib.parse import urlsplit

import httpx2
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from generator.shots import Size
from service.guard.errors import GuardError, NotOffered, Refused, Unavailable
from service.guard.wanted import Allowed, Wanted
from service.request import BadRequest
from service.wire import JSON

_TIMEOUT_S = 30.0
_LOOPBACK = {"127.0.0.1", "::1", "localhost"}
PATH = "/v1/policy/decisions"


class NotAnAddress(GuardError):
    """A key goes over TLS, or to this very machine, and nowhere else."""


class _Condition(BaseModel):
    model_config = ConfigDict(extra="ignore")
    # Another one is one that we would not honour: then the answer is no answer.
    type: Literal["visible_mark", "max_seconds", "steer"]
    value: int = Field(default=0, ge=0)
    prompt: str = Field(default="", repr=False)
    negative: str = Field(default="", repr=False)


class _Reason(BaseModel):
    model_config = ConfigDict(extra="ignore")
    code: str
    message: str
    remedy: str


class _Decision(BaseModel):
    model_config = ConfigDict(extra="ignore")
    id: str
    object: Literal["policy.decision"]
    mode: Literal["enforce"]
    stage: Literal["request"]
    verdict: Literal["allow", "hold", "block"]
    reasons: list[_Reason]
    conditions: list[_Condition]
    ticket: str | None


class Remote:
    """One request, decided by a service elsewhere.

    Args:
        url: its address, `https://…`; `http` to this machine alone.
        key: `impr_live_…` with the role creator.

    Raises:
        NotAnAddress: the key would go over the wire in the clear.
    """

    def __init__(
        self, wanted: Wanted, url: str, key: str, transport: httpx2.BaseTransport | None = None
    ) -> None:
        parts = urlsplit(url)
        if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _LOOPBACK):
            raise NotAnAddress("url: use https://…, or http:// to this machine")
        self._wanted = wanted
        self._url = url.rstrip("/").removesuffix("/v1") + PATH
        self._key = key
        self._transport = transport

    def ask(self) -> Allowed:
        """Return what may be generated, by a decision that is in the service's log.

        Raises:
            Refused, Unavailable, BadRequest: nothing may.
        """
        reply = self._reply()
        if reply.status_code != httpx2.codes.OK:
            _fail(reply)
        try:
            found = _Decision.model_validate_json(reply.content)
            decision = reply.json()
        except ValueError:
            # pydantic's error quotes what it was given, and that may be the prompt.
            raise Unavailable("the service answered something that is no decision") from None
        if found.verdict != "allow":
            raise Refused(decision)
        if not found.ticket:
            raise Unavailable("the service allowed it without a ticket")
        return _allowed(self._wanted, found, found.ticket, decision)

    def publish(self, *_: object) -> NoReturn:
        """Refuse: what is published is sealed and logged by the house that decides.

        Raises:
            NotOffered: always.
        """
        raise NotOffered(
            "publishing over HTTP is not offered: seal and log where the house is (guard without "
            "url), or send the request itself to /v1/videos"
        )

    def _reply(self) -> httpx2.Response:
        try:
            with httpx2.Client(
                transport=self._transport, timeout=_TIMEOUT_S, follow_redirects=False
            ) as client:
                return client.post(
                    self._url,
                    json=self._wanted.json(),
                    headers={"authorization": f"Bearer {self._key}"},
                )
        except httpx2.HTTPError as broken:
            raise Unavailable(f"the service does not answer: {type(broken).__name__}") from None


def _fail(reply: httpx2.Response) -> NoReturn:
    if reply.status_code == httpx2.codes.BAD_REQUEST:
        raise _bad_request(reply)
    if reply.status_code in {httpx2.codes.UNAUTHORIZED, httpx2.codes.FORBIDDEN}:
        raise Unavailable(f"the service refuses the key ({reply.status_code}): role creator?")
    raise Unavailable(f"the service has no decision ({reply.status_code})")


class _Error(BaseModel):
    model_config = ConfigDict(extra="ignore")
    code: str
    message: str
    param: str | None = None


class _Problem(BaseModel):
    model_config = ConfigDict(extra="ignore")
    error: _Error


def _bad_request(reply: httpx2.Response) -> BadRequest | Unavailable:
    try:
        error = _Problem.model_validate_json(reply.content).error
    except ValidationError:
        return Unavailable("the service has no decision (400)")
    param = error.param or "body"
    return BadRequest(param, error.code, error.message.removeprefix(f"{param}: "), "")


def _allowed(wanted: Wanted, found: _Decision, ticket: str, decision: JSON) -> Allowed:
    # The service has taken these, so they are numbers and a size.
    width, _, height = wanted.size.partition("x")
    seconds = int(str(wanted.texts["seconds"]))
    prompt, negative = wanted.prompt, ""
    for condition in found.conditions:
        if condition.type == "max_seconds":
            seconds = min(seconds, condition.value)
        if condition.type == "steer" and not condition.prompt:
            raise Unavailable("the service steers without saying where to")
        if condition.type == "steer":
            prompt, negative = condition.prompt, condition.negative
    return Allowed(
        prompt, negative, Size(int(width), int(height)), seconds,
        Fraction(str(wanted.texts["fps"])), int(str(wanted.texts["seed"])), ticket, decision,
    )  # fmt: skip
