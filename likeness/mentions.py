"""Whom a text names by handle, and whether they agreed, as the database says at this moment."""

from datetime import datetime

from sqlalchemy import Connection

from likeness import permissions, store
from likeness.consent import Use
from likeness.handles import Mention, MentionStatus, handles_written


def mentions_in(conn: Connection, text: str, actor: str, now: datetime) -> list[Mention]:
    """Return every `@handle` in `text`, in order, and whether `actor` may use it.

    The handle of a revoked likeness names that likeness, and is granted to nobody, until an
    active one takes it: whoever asks for somebody that withdrew is refused, not overlooked.
    """
    written = handles_written(text)
    if not written:
        return []
    known = store.last_by_handle(conn, (handle for handle, _, _ in written))
    # Only active likenesses are in here.
    allowed = permissions.permitted(conn, actor, Use.FACE, now) if known else {}
    mentions = []
    for handle, start, end in written:
        likeness = known[handle].id if handle in known else ""
        grant = allowed.get(likeness, "")
        status = MentionStatus.UNKNOWN
        if likeness:
            status = MentionStatus.GRANTED if grant else MentionStatus.NOT_GRANTED
        mentions.append(Mention(handle, start, end, status, likeness, grant))
    return mentions
