"""What keeps a job from going on for now: nothing was decided, and it stands where it stood."""

from service.audit.errors import AuditError
from service.database import DatabaseUnavailable
from service.jobs import JobError
from service.media.errors import MediaError
from service.policy_book.states import BookBroken

INTERRUPTIONS = (DatabaseUnavailable, AuditError, BookBroken, MediaError, JobError)
