"""Which errors we know by name, and the one sentence that each becomes.

An error means that there is no answer. What is not listed here is a fault of ours and ends with
Python's traceback, which shows lines of code and no values.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from service.audit.search.language import QueryError

# Of a query that is wrong, so many characters are shown around the place.
_SHOWN = 100
Kinds = tuple[type[BaseException], ...]


class Refused(Exception):
    """The command line itself cannot go on; the message says what, where and how to mend it."""


def usage_errors() -> Kinds:
    """Return what typer raises about arguments, and when somebody interrupts."""
    import typer

    return (typer.TyperException, typer.Abort)


def known() -> Kinds:
    """Return every error that has a sentence; importing them all is left to when one came."""
    from filters.finding import FilterError
    from generator.shots import GeneratorError
    from likeness.faces import LikenessError
    from provenance.failures import ProvenanceError
    from rightsholders.claims import RightsError
    from service.accounts import AccountError
    from service.appeals import AppealError
    from service.audit.errors import AuditError
    from service.audit.search.language import QueryError
    from service.audit.verify_file import NotProved
    from service.backtests.running import BacktestError
    from service.certificates import CertificatesUnusable
    from service.database import DatabaseUnavailable
    from service.exports.words import ExportError
    from service.jobs import JobError
    from service.keys import KeyRingError
    from service.media.errors import MediaError
    from service.migrations import DatabaseTooNew
    from service.policy_book import PolicyRefused
    from service.policy_book.states import BookError
    from service.records.words import RecordsError
    from service.request import BadRequest
    from service.reviews import ReviewError
    from service.settings import SettingsRefused
    from service.subjects import SubjectError
    from service.ticket_keys import KeysUnreadable
    from service.vault import VaultError

    return (
        Refused, SettingsRefused, BadRequest, DatabaseUnavailable, DatabaseTooNew, KeyRingError,
        CertificatesUnusable, PolicyRefused, BookError, FilterError, LikenessError, RightsError,
        QueryError, MediaError, AuditError, NotProved, VaultError, ProvenanceError, JobError,
        ReviewError, AccountError, SubjectError, GeneratorError, KeysUnreadable, RecordsError,
        ExportError, AppealError, BacktestError, OSError,
    )  # fmt: skip


def sentence_of(error: BaseException) -> str:
    """Return what is wrong, where, and how to mend it."""
    from service.audit.search.language import QueryError
    from service.media.errors import MediaError
    from service.policy_book import PolicyRefused

    if isinstance(error, QueryError):
        return _pointed(error)
    if isinstance(error, MediaError):
        return f"{error.message} {error.remedy}"
    if isinstance(error, PolicyRefused):
        return f"IMPRIMATUR_POLICY: {error}; correct the document, or unset it for the default"
    if isinstance(error, OSError):
        where = f"{error.filename}: " if error.filename else ""
        return f"{where}{error.strerror or error}; check the path and its permissions"
    said = getattr(error, "format_message", None)
    if said is not None:
        return f"{said()} See `imprimatur --help`."
    return _told(error) or "stopped before there was an answer"


def _told(error: BaseException) -> str:
    from service.accounts import NoSuchAccount
    from service.appeals import NoSuchAppeal, OwnAppeal
    from service.policy_book.states import NoSuchDocument, NotApproved, OwnDocument
    from service.reviews import AlreadyDecided, OwnRequest, UnknownReview

    if isinstance(error, NoSuchAccount):
        return f"there is no {error.wanted} here; `imprimatur keys list` shows what there is"
    for kind, said in (
        (UnknownReview, "there is no review {}; `imprimatur reviews list` shows what waits"),
        (NoSuchAppeal, "there is no appeal {}; `imprimatur appeals list` shows what waits"),
        (NoSuchDocument, "there is no policy {}; `imprimatur policy list` shows what there is"),
        (OwnDocument, "{}: nobody approves the policy they wrote; name another with --as ACTOR"),
        (NotApproved, "{}; `imprimatur policy approve SHA --as ACTOR`"),
        (OwnRequest, "{}: nobody reviews their own request; name another person with --as ACTOR"),
        (OwnAppeal, "{}: nobody rules on what they sent or refused; name another with --as ACTOR"),
        (AlreadyDecided, "{}: somebody was first"),
    ):
        if isinstance(error, kind):
            return said.format(error)
    return str(error)


def _pointed(wrong: QueryError) -> str:
    """Return what is wrong with a query, with a mark under the place."""
    from service.cli.terminal import plain

    line = wrong.text.split("\n")[wrong.line - 1]
    first = max(0, wrong.column - 1 - _SHOWN // 2)
    before = plain(line[first : wrong.column - 1], _SHOWN)
    length = max(1, min(wrong.end - wrong.start, len(line) - wrong.column + 1, _SHOWN // 2))
    told = f"the query, column {wrong.column}: {wrong.message}"
    told += f"; {wrong.remedy}" if wrong.remedy else ""
    shown = plain(line[first : first + _SHOWN], _SHOWN)
    return f"{told}\n  {shown}\n  {' ' * len(before)}{'^' * length}"
