import json
import logging
from collections.abc import Iterator
from io import StringIO

import pytest
import structlog
from hypothesis import given, settings
from hypothesis import strategies as st

from service import telemetry
from service.telemetry import ALLOWED, only_allowed


@pytest.fixture
def said() -> Iterator[StringIO]:
    stream = StringIO()
    telemetry.configure(stream)
    yield stream
    structlog.reset_defaults()


def test_what_is_logged_is_one_json_object_per_line(said: StringIO) -> None:
    structlog.get_logger().info("job.stopped", job="video_1", state="released")

    line = json.loads(said.getvalue())
    assert (line["event"], line["job"], line["level"]) == ("job.stopped", "video_1", "info")
    assert line["timestamp"]


def test_a_key_that_is_not_on_the_list_is_dropped(said: StringIO) -> None:
    structlog.get_logger().info("x", prompt="a secret", handle="mira", authorization="impr_live_")

    assert set(json.loads(said.getvalue())) == {"event", "level", "timestamp"}


def test_a_library_is_heard_and_not_quoted(said: StringIO) -> None:
    broken = ValueError("the prompt was: a secret")

    logging.getLogger("sqlalchemy.pool").warning("a secret", exc_info=broken)

    line = json.loads(said.getvalue())
    assert (line["logger"], line["error"]) == ("sqlalchemy.pool", "ValueError")
    assert "secret" not in said.getvalue()


@settings(deadline=None)  # the machine may be busy
@given(
    st.dictionaries(
        st.one_of(st.text(max_size=20), st.sampled_from(sorted(ALLOWED))),
        st.one_of(
            st.text(max_size=400), st.binary(), st.integers(), st.lists(st.text()), st.none()
        ),
    )
)
def test_only_short_values_under_known_keys_come_through(event: dict[str, object]) -> None:
    left = only_allowed(None, "info", event)

    assert set(left) <= ALLOWED
    assert all(isinstance(value, str | int | float) for value in left.values())
    assert all(len(str(value)) <= 200 for value in left.values())
