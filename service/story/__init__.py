"""Everything about one request from end to end, from the log, and the job's row if there is one."""

from service.story.outcome import Outcome
from service.story.telling import Event, Story, told

__all__ = ["Event", "Outcome", "Story", "told"]
