"""One request, however it is sent; and nothing sent gets further than a BadRequest."""

import base64
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.api.fields import Fields, read
from service.api.films import _Span, _span
from service.request import BadRequest

NAMES = st.from_regex(r"[a-z_]{1,12}(\[[a-z_]{1,8}\])?", fullmatch=True)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)


def multipart(texts: dict[str, list[str]], boundary: str = "an-edge") -> bytes:
    body = b"".join(
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n'.encode()
        + one.encode()
        + b"\r\n"
        for name, values in texts.items()
        for one in values
    )
    return body + f"--{boundary}--\r\n".encode()


def nested(texts: dict[str, list[str]]) -> dict[str, object]:
    whole: dict[str, object] = {}
    for name, values in texts.items():
        head, _, inner = name.partition("[")
        if inner:
            group = whole.setdefault(head, {})
            assert isinstance(group, dict)
            group[inner.removesuffix("]")] = values
        else:
            whole[head] = values
    return whole


@settings(deadline=None)  # the machine may be busy
@given(st.dictionaries(NAMES, st.lists(TEXTS, min_size=1, max_size=3), min_size=1, max_size=6))
def test_json_and_multipart_are_the_same_fields(texts: dict[str, list[str]]) -> None:
    heads = [name.partition("[")[0] for name in texts]
    texts = {name: texts[name] for name, head in zip(texts, heads, strict=True)
             if heads.count(head) == 1}  # fmt: skip

    from_json = read(json.dumps(nested(texts)).encode(), "application/json")
    if not texts:
        return
    from_parts = read(multipart(texts), "multipart/form-data; boundary=an-edge")
    mislabelled = read(multipart(texts), "application/json")

    assert from_json.texts == from_parts.texts == mislabelled.texts
    assert from_json.texts == {name: tuple(values) for name, values in texts.items()}


@settings(deadline=None)  # the machine may be busy
@given(st.binary(max_size=300), st.sampled_from(["application/json", "", "text/plain", "x;y=\xff"]))
def test_any_bytes_are_fields_or_a_bad_request(body: bytes, kind: str) -> None:
    try:
        assert isinstance(read(body, kind), Fields)
    except BadRequest as refused:
        assert refused.remedy


@settings(deadline=None)  # the machine may be busy
@given(st.binary(max_size=200), st.integers(0, 200))
def test_any_part_of_a_multipart_body_is_fields_or_a_bad_request(junk: bytes, at: int) -> None:
    whole = multipart({"prompt": ["a red ball"]})
    body = whole[:at] + junk + whole[at:]
    try:
        assert isinstance(read(body, "multipart/form-data; boundary=an-edge"), Fields)
    except BadRequest as refused:
        assert refused.remedy


@settings(deadline=None)  # the machine may be busy
@given(st.integers(0, 400), st.integers(0, 400), st.integers(1, 300))
def test_a_range_is_what_rfc_9110_says(start: int, end: int, size: int) -> None:
    content = bytes(index % 256 for index in range(size))

    span = _span(f"bytes={start}-{end}", size)
    suffix = _span(f"bytes=-{end}", size)

    if start >= size or end < start:
        assert span is None
    else:
        assert span is not None
        assert content[span.start : span.end + 1] == content[start : end + 1]
    if end == 0:
        assert suffix is None
    else:
        assert suffix is not None
        assert content[suffix.start : suffix.end + 1] == content[-end:]


@pytest.mark.parametrize("wanted", ["", "bytes=-", "items=0-1", "bytes=0-1,3-4", "bytes=a-b"])
def test_what_is_no_single_range_gets_the_whole(wanted: str) -> None:
    assert _span(wanted, 10) == _Span(0, 9)


def test_an_address_with_the_picture_in_it_wins_over_an_empty_file() -> None:
    address = "data:image/png;base64," + base64.b64encode(b"picture").decode()

    fields = Fields({"input_reference[image_url]": (address,)}, {"input_reference": (b"",)})

    assert fields.sent("input_reference", 4) == (b"picture",)


def test_an_empty_file_alone_stays_and_is_refused_later() -> None:
    assert Fields({}, {"input_reference": (b"",)}).sent("input_reference", 4) == (b"",)


@pytest.mark.parametrize(
    "address",
    [
        "http://169.254.169.254/latest",
        "file:///etc/passwd",
        "data:text/html;base64,eA==",
        "data:image/png;base64,%%%",
        "data:image/png,raw",
    ],
)
def test_every_other_address_is_refused(address: str) -> None:
    with pytest.raises(BadRequest) as refused:
        Fields({"input_reference": (address,)}, {}).sent("input_reference", 4)

    assert refused.value.param == "input_reference"


def test_fields_show_nothing_in_a_trace() -> None:
    assert "secret" not in repr(Fields({"prompt": ("a secret",)}, {"file": (b"secret",)}))
