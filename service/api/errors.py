"""The only map from errors to HTTP: RFC 9457 and OpenAI's `error{}` in one body.

An error means that nothing was decided. It says what, in which field, and what to do; what we do
not know by type says nothing about its cause.
"""

from collections.abc import Callable, Sequence

from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from starlette.exceptions import HTTPException

from filters.finding import FilterError, NothingToLookAt
from likeness.consent import GrantNotPossible, HandleNotPossible
from likeness.enrolment import PhotographCount, PhotographRefused
from likeness.faces import LikenessError, PictureUnusable
from likeness.registry import AlreadyEnrolled, HandleTaken, NoSuchGrant, NoSuchLikeness
from rightsholders.claims import ClaimNotPossible, RightsError, StepNotPossible
from rightsholders.register import NoSuchClaim
from rightsholders.tiers import AliasRefused
from service.accounts import NoSuchAccount, NotAuthenticated
from service.api.problems import Problem
from service.appeals import AppealError, NoSuchAppeal, OwnAppeal
from service.audit.errors import (
    AuditError,
    IndexBroken,
    NoEntry,
    NoSuchTree,
    NoTile,
    Pruned,
    ValueRetired,
)
from service.audit.search.language import QueryError
from service.backtests.running import TooMuch
from service.database import DatabaseUnavailable
from service.exports.words import ExportError, FormatMissing
from service.jobs import AlreadyEnded, Fenced, IdempotencyConflict, NotHeld, UnknownJob
from service.keys import KeyRingError
from service.media.errors import Code as MediaCode
from service.media.errors import MediaError
from service.policy_book import PolicyRefused
from service.policy_book.states import (
    BookBroken,
    BookError,
    DocumentNotWhole,
    MoveNotPossible,
    NoSuchDocument,
    NotApproved,
    NothingBefore,
    Overtaken,
    OwnDocument,
    ShareNotPossible,
)
from service.records.words import (
    BelongsElsewhere,
    CaseMissing,
    HoldNotPossible,
    LedgerDamaged,
    LedgerUnwritable,
    NoSuchErasure,
    NoSuchHold,
    NoSuchSubject,
    NotYours,
    RecordsError,
    SamePerson,
)
from service.request import BadRequest
from service.reviews import AlreadyDecided, NoteTooLong, OwnRequest, ReviewError, UnknownReview
from service.subjects import SubjectErased, SubjectError
from service.vault import NoSuchBlob, VaultError
from service.wire import JSON

RETRY_AFTER_S = 5


class Forbidden(Exception):
    """The key is good, and its roles do not include this."""


class CrossSite(Exception):
    """A form was sent from another site, in the name of somebody who is signed in here."""


class InProgress(Exception):
    """The same request is being decided right now, or the job is about to stop."""


class NotReady(Exception):
    """There is no film yet, or there will be none. The message says which."""


class PolicyBlocked(Exception):
    """The request is refused. `decision` is the whole decision, in the log."""

    def __init__(self, message: str, decision: JSON, video: str) -> None:
        super().__init__(message)
        self.decision = decision
        self.video = video


_Maker = Callable[[Exception], Problem]


def _fixed(status: int, code: str, message: str = "", param: str = "") -> _Maker:
    """Return a maker; without a message, the error's own words are safe to show."""
    return lambda error: Problem(status, code, message or _sentence(str(error)), param)


def _unavailable(code: str, message: str) -> _Maker:
    return lambda _error: Problem(
        503,
        code,
        f"{message} Nothing was decided and nothing was changed; try again.",
        should_retry=True,
        headers={"retry-after": str(RETRY_AFTER_S)},
    )


def _bad_request(error: Exception) -> Problem:
    assert isinstance(error, BadRequest)  # noqa: S101 - the table below says so
    said = error.message.removeprefix(f"{error.param}: ")
    message = _sentence(f"{said} {error.remedy}".strip())
    return Problem(400, error.code, f"{error.param}: {message}", error.param)


def _query(error: Exception) -> Problem:
    assert isinstance(error, QueryError)  # noqa: S101 - the table below says so
    said = f"{error.param}: {_sentence('; '.join(filter(None, (error.message, error.remedy))))}"
    place = {"position": [error.start, error.end]}
    return Problem(400, "query_invalid", said, error.param, extra=place)


def _media(error: Exception) -> Problem:
    assert isinstance(error, MediaError)  # noqa: S101 - the table below says so
    if error.code is MediaCode.NOT_WRITTEN:
        return _unavailable("media_unavailable", error.message)(error)
    return Problem(400, error.code.value, f"{error.message} {error.remedy}", "photographs")


def _photograph(error: Exception) -> Problem:
    assert isinstance(error, PhotographRefused)  # noqa: S101 - the table below says so
    param = f"photographs[{error.number}]"
    return Problem(400, error.flaw.value, _sentence(str(error)), param)


def _blocked(error: Exception) -> Problem:
    assert isinstance(error, PolicyBlocked)  # noqa: S101 - the table below says so
    first: JSON = next(iter(error.decision.get("reasons", [])), {})
    return Problem(
        400,
        "policy_blocked",
        str(error),
        str(first.get("param", "")),
        extra={"decision": error.decision, "video": error.video},
    )


def _erasure_waits(_error: Exception) -> Problem:
    return Problem(
        503,
        "erasure_waits",
        "The wish is in the log and nothing is destroyed yet, because the list of erasures cannot "
        "be written. It is done when the service starts again; it need not be asked for twice.",
    )


def _busy(_error: Exception) -> Problem:
    return Problem(
        409,
        "in_progress",
        "The same request is being worked on; ask again in a moment.",
        should_retry=True,
        headers={"retry-after-ms": "500"},
    )


def _http(error: Exception) -> Problem:
    assert isinstance(error, HTTPException)  # noqa: S101 - the table below says so
    known = {
        404: ("not_found", "There is nothing at this address; docs/api.md lists what there is."),
        405: ("method_not_allowed", "This address does not take this method."),
        413: ("too_large", "The whole request may have 32 MiB, one file in it 20 MiB."),
    }
    code, message = known.get(
        error.status_code, ("bad_request", "The request cannot be read; send it as documented.")
    )
    return Problem(error.status_code, code, message, headers=dict(error.headers or {}))


def _invalid(error: Exception) -> Problem:
    assert isinstance(error, RequestValidationError | ValidationError)  # noqa: S101 - as above
    first = error.errors()[0]
    if first["loc"][:1] == ("path",):
        # What has not the shape of an id names nothing.
        return _http(HTTPException(404))
    parts = [str(part) for part in first["loc"] if part not in {"query", "body", "path", "header"}]
    param = ".".join(parts) or "body"
    said = str(first["msg"]).removeprefix("Value error, ")
    if first["type"] == "extra_forbidden":
        return Problem(
            400, "unknown_field", f"{param}: there is no such field. Leave it out.", param
        )
    return Problem(400, "invalid", f"{param}: {_sentence(said)}", param)


_TABLE: Sequence[tuple[type[Exception], _Maker]] = (
    # The first line that fits counts, so leaves stand before their base.
    (BadRequest, _bad_request),
    (QueryError, _query),
    (PolicyBlocked, _blocked),
    (RequestValidationError, _invalid),
    (ValidationError, _invalid),
    (HTTPException, _http),
    (MediaError, _media),
    (
        NotAuthenticated,
        lambda _: Problem(
            401,
            "invalid_api_key",
            "This API key opens nothing. Send `Authorization: Bearer impr_live_…` with a key "
            "that is neither revoked nor expired.",
            headers={"www-authenticate": "Bearer"},
        ),
    ),
    (Forbidden, _fixed(403, "role_missing")),
    (CrossSite, _fixed(403, "cross_site", "Open the page itself and send the form from there.")),
    (OwnRequest, _fixed(403, "own_request", "Nobody reviews their own request.")),
    (UnknownJob, _fixed(404, "not_found", "There is no such video in your project.")),
    (UnknownReview, _fixed(404, "not_found", "There is no such review in your project.")),
    (NoSuchBlob, _fixed(404, "not_found", "The file is not here any more.")),
    (NoTile, _fixed(404, "not_found", "The log has no such tile, or is not that long yet.")),
    (NoSuchTree, _fixed(400, "too_large", param="new")),
    (Pruned, _fixed(410, "pruned", "This entry is no longer kept; its proofs still hold.")),
    (NoEntry, _fixed(404, "not_found", "The log has no such entry of your project.")),
    (NoSuchAccount, _fixed(404, "not_found", "There is no such account.")),
    # The same words for another's as for none at all.
    (NoSuchLikeness, _fixed(404, "not_found", "You have no such likeness.")),
    (NoSuchGrant, _fixed(404, "not_found", "You have given no such grant.")),
    (NoSuchClaim, _fixed(404, "not_found", "You have no such claim.")),
    (ValueRetired, _fixed(410, "retired", "Its term was over, and it was dropped for good.")),
    (SubjectErased, _fixed(410, "erased", "This was erased for good at its owner's wish.")),
    (
        IdempotencyConflict,
        _fixed(
            422,
            "idempotency_key_reused",
            "This Idempotency-Key was used for another request. Use a new key, or send the same "
            "request.",
        ),
    ),
    (InProgress, _busy),
    (TooMuch, _fixed(400, "too_much", param="since")),
    (Fenced, _busy),
    (NotReady, _fixed(400, "not_ready")),
    (AlreadyEnded, _fixed(409, "already_ended")),
    (NotHeld, _fixed(409, "not_held", "It does not wait for a person any more.")),
    (AlreadyDecided, _fixed(409, "already_decided")),
    (NoteTooLong, _fixed(400, "too_long", param="note")),
    (ReviewError, _fixed(409, "review_not_possible", "This cannot be decided now.")),
    (NoSuchAppeal, _fixed(404, "not_found", "There is no such appeal.")),
    (OwnAppeal, _fixed(403, "own_appeal", "Nobody rules on what they sent or refused themselves.")),
    (AppealError, lambda error: Problem(409, getattr(error, "word", ""), _sentence(str(error)))),
    (NoSuchSubject, _fixed(404, "not_found", "Your project has nobody of this id.")),
    (NoSuchErasure, _fixed(404, "not_found", "There is no such erasure of yours.")),
    (NoSuchHold, _fixed(404, "not_found", "There is no such hold in your project.")),
    (
        NotYours,
        _fixed(403, "not_yours", "This is about somebody else; an operator or auditor can ask."),
    ),
    (
        CaseMissing,
        _fixed(400, "case_missing", "Name the case in which you ask for somebody else.", "case"),
    ),
    (
        BelongsElsewhere,
        _fixed(
            409,
            "belongs_elsewhere",
            "This person works in other projects too: only they can ask, or the operator of the "
            "machine.",
        ),
    ),
    (SamePerson, _fixed(403, "two_people")),
    (HoldNotPossible, _fixed(409, "hold_not_possible")),
    (LedgerUnwritable, _erasure_waits),
    (LedgerDamaged, _erasure_waits),
    (RecordsError, _unavailable("records_unavailable", "The records cannot be kept now.")),
    (PolicyRefused, _fixed(400, "policy_refused", param="document")),
    (ShareNotPossible, _fixed(400, "share_not_possible", param="percent")),
    (NoSuchDocument, _fixed(404, "not_found", "The policy book has no such document.")),
    (OwnDocument, _fixed(403, "own_document", "Nobody approves the policy that they wrote.")),
    (NotApproved, _fixed(409, "not_approved")),
    (MoveNotPossible, _fixed(409, "move_not_possible")),
    (NothingBefore, _fixed(409, "nothing_before")),
    (DocumentNotWhole, _fixed(409, "document_not_whole")),
    (Overtaken, _fixed(409, "overtaken")),
    (BookBroken, _unavailable("policy_unavailable", "No policy can be said to be live.")),
    (BookError, _fixed(409, "policy_not_possible")),
    (PhotographRefused, _photograph),
    (PhotographCount, _fixed(400, "photograph_count", param="photographs")),
    (PictureUnusable, _fixed(400, "picture_unusable", param="photographs")),
    (HandleNotPossible, _fixed(400, "handle_not_possible", param="handle")),
    (HandleTaken, _fixed(409, "handle_taken", param="handle")),
    (AlreadyEnrolled, _fixed(409, "already_enrolled", param="photographs")),
    (GrantNotPossible, _fixed(400, "grant_not_possible", param="until")),
    (LikenessError, _unavailable("likeness_unavailable", "Likenesses cannot be checked now.")),
    (AliasRefused, _fixed(400, "alias_refused", param="aliases")),
    (ClaimNotPossible, _fixed(400, "claim_not_possible")),
    (StepNotPossible, _fixed(409, "step_not_possible")),
    (RightsError, _unavailable("claims_unavailable", "Claims cannot be checked now.")),
    (NothingToLookAt, _fixed(400, "empty", "There is nothing to read in it.", "input")),
    (FilterError, _unavailable("filters_unavailable", "The filters cannot look now.")),
    (DatabaseUnavailable, _unavailable("database_unavailable", "The database does not answer.")),
    (IndexBroken, _unavailable("index_broken", "The search index is not the log's.")),
    (FormatMissing, _fixed(400, "format_not_installed", param="format")),
    (ExportError, _unavailable("export_broken", "The export cannot be made.")),
    (AuditError, _unavailable("log_unavailable", "The log cannot be written.")),
    (VaultError, _unavailable("vault_unavailable", "Films cannot be read or kept now.")),
    (KeyRingError, _unavailable("keys_unavailable", "A key of the service cannot be used.")),
    (SubjectError, _unavailable("keys_unavailable", "A key of the service cannot be used.")),
)
STOPPING = Problem(
    503,
    "stopping",
    "The service is being stopped, and has not answered in time. Send it again; with an "
    "Idempotency-Key it is the same request.",
    should_retry=True,
    headers={"retry-after": str(RETRY_AFTER_S)},
)
KNOWN = tuple(kind for kind, _ in _TABLE)


def problem_of(error: Exception) -> Problem:
    """Return how HTTP says `error`; one that nobody thought of is a 500 that says nothing."""
    for kind, make in _TABLE:
        if isinstance(error, kind):
            return make(error)
    return Problem(
        500,
        "internal",
        "Something broke here, and nothing was decided. The operator finds it in the log under "
        "this request id.",
    )


def _sentence(words: str) -> str:
    said = words[:1].upper() + words[1:]
    return said if said.endswith((".", "!", "?")) else f"{said}."
