"""How a guarded block ends without a film. Each of them means: nothing was published."""

from service.wire import JSON

_SAID = {
    "hold": "Held: a person has to look at it, and nothing may be generated until then.",
    "block": "Refused.",
}
_SAID_OF_OUTPUT = {
    "hold": "Held: a person would have to look at what was made, so it was not published.",
    "block": "Refused: what was made was not published.",
}


class GuardError(Exception):
    """Base of everything that `service.guard` raises."""


class Refused(GuardError):
    """The policy says no, or not without a person. The message never quotes the request.

    Attributes:
        decision: the whole of it, as `POST /v1/policy/decisions` answers.
    """

    def __init__(self, decision: JSON) -> None:
        super().__init__(_told(decision))
        self.decision = decision

    @property
    def verdict(self) -> str:
        """`hold` or `block`."""
        return str(self.decision["verdict"])


class Unavailable(GuardError):
    """There is no decision, which is never an allow. The message says what did not answer."""


class NotPermitted(GuardError):
    """The film is another than was permitted; the message says in what."""


class NotAFilm(GuardError):
    """These are not frames or sound; the message says what is wanted."""


class Closed(GuardError):
    """The block was not entered, is over, or has published its film."""


class NotOffered(GuardError):
    """A guard that asks over HTTP has no hand on the log, so it seals and publishes nothing."""


def _told(decision: JSON) -> str:
    said = _SAID if decision["stage"] == "request" else _SAID_OF_OUTPUT
    lines = [said[decision["verdict"]]]
    lines += [f"- {one['code']}: {one['message']} {one['remedy']}" for one in decision["reasons"]]
    appeals = sorted({one["appeal_url"] for one in decision["reasons"] if one.get("appeal_url")})
    if appeals:
        lines.append(f"If that is wrong, appeal: {', '.join(appeals)}")
    lines.append(f"Decision {decision['id']}.")
    return "\n".join(lines)
