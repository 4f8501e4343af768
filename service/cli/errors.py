"""Which errors we know by name, and the one sentence that each becomes.

An error means that there is no answer. What is not listed here is a fault of ours and ends with
Python's traceback, which shows lines of code and no values.
"""

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
    from service.audit.errors import AuditError
    from service.audit.verify_file import NotProved
    from service.certificates import CertificatesUnusable
    from service.database import DatabaseUnavailable
    from service.jobs import JobError
    from service.keys import KeyRingError
    from service.media.errors import MediaError
    from service.migrations import DatabaseTooNew
    from service.policy_book import PolicyRefused
    from service.request import BadRequest
    from service.reviews import ReviewError
    from service.settings import SettingsRefused
    from service.subjects import SubjectError
    from service.vault import VaultError

    return (
        Refused, SettingsRefused, BadRequest, DatabaseUnavailable, DatabaseTooNew, KeyRingError,
        CertificatesUnusable, PolicyRefused, FilterError, LikenessError, RightsError, MediaError,
        AuditError, NotProved, VaultError, ProvenanceError, JobError, ReviewError, AccountError,
        SubjectError, GeneratorError, OSError,
    )  # fmt: skip


def sentence_of(error: BaseException) -> str:
    """Return what is wrong, where, and how to mend it."""
    from service.media.errors import MediaError
    from service.policy_book import PolicyRefused

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
    from service.reviews import AlreadyDecided, OwnRequest, UnknownReview

    if isinstance(error, NoSuchAccount):
        return f"there is no {error.wanted} here; `imprimatur keys list` shows what there is"
    if isinstance(error, UnknownReview):
        return f"there is no review {error}; `imprimatur reviews list` shows what waits"
    if isinstance(error, OwnRequest):
        return f"{error}: nobody reviews their own request; name another person with --as ACTOR"
    if isinstance(error, AlreadyDecided):
        return f"{error}: somebody was first"
    return str(error)
