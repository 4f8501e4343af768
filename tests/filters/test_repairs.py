import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.transforms import TRANSFORMS
from filters.evasion import hidden
from filters.finding import Category
from filters.normalise import normalise, variants
from filters.payloads import decoded, without_payloads

BAD = "the naked woman having sex with two men"
TYPED = st.one_of(
    st.text(max_size=80),
    st.builds(
        lambda transform, text: transform(text),
        st.sampled_from(list(TRANSFORMS.values())),
        st.sampled_from(
            [BAD, "a man strangles a soldier, blood sprays", "Waves roll. A gull sits."]
        ),
    ),
)


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("a na ked woman", "a naked woman"),
        ("a n*ked woman", "a naked woman"),
        ("they have s*x", "they have sex"),
        ("a nkaed wmoan", "a naked woman"),
        ("a naakeed woomaan iin bed", "a naked woman in bed"),
        ("anakedwomanhavingsex", "a naked woman having sex"),
        (BAD[::-1], BAD),
        ("h0w t0 g0 th3r3", "how to go there"),
        ("gur anxrq jbzna", "the naked woman"),
    ],
)
def test_words_that_were_taken_apart_are_read(typed: str, read: str) -> None:
    assert read in [variant.text for variant in variants(normalise(typed))]


def test_a_measure_among_whole_words_is_left() -> None:
    assert variants(normalise("a street at t0 and t1, 4k, 5s")) == []


@pytest.mark.parametrize("name", ["base64", "hex_or_morse"])
def test_what_is_encoded_is_read(name: str) -> None:
    assert BAD in [reading.text.strip() for reading in decoded(TRANSFORMS[name](BAD))]


def test_morse_is_read_and_found() -> None:
    typed = "show -. .- -.- . -.. / -- . -."

    assert [reading.text for reading in decoded(typed)] == ["naked men"]
    assert [found.category for found in hidden(typed)] == [Category.EVASION]


def test_a_payload_is_not_read_as_if_it_were_words() -> None:
    typed = "show this: " + BAD.encode().hex()

    assert without_payloads(normalise(typed), typed).text.split() == ["show", "this:"]


@pytest.mark.parametrize(
    "typed",
    [
        "a cat sits by the way on a mat",
        "a wide-shot of every one",
        "a long way to a live band, a head of us",
    ],
)
def test_plain_words_stay_as_they_are(typed: str) -> None:
    assert variants(normalise(typed)) == []


def test_a_mended_word_leads_back_to_what_was_typed() -> None:
    typed = "Look: a NA KED woman"
    (variant,) = variants(normalise(typed))
    at = variant.text.index("naked")

    start, end = variant.span(at, at + 5)

    assert typed[start:end] == "NA KED"


def test_a_word_that_stood_backwards_leads_back_to_where_it_stood() -> None:
    typed = "show " + BAD[::-1]
    reading = next(each for each in variants(normalise(typed)) if BAD in each.text)
    at = reading.text.index("naked")

    start, end = reading.span(at, at + 5)

    assert typed[start:end] == "dekan"


@settings(max_examples=150, deadline=None)
@given(TYPED, st.data())
def test_every_span_of_every_way_to_read_lies_in_what_was_typed(
    typed: str, data: st.DataObject
) -> None:
    plain = normalise(typed)
    for reading in [plain, *variants(plain), *decoded(typed), without_payloads(plain, typed)]:
        assert len(reading.text) == len(reading.starts) == len(reading.ends)
        start = data.draw(st.integers(0, len(reading.text)))
        end = data.draw(st.integers(start, len(reading.text)))

        first, last = reading.span(start, end)

        assert 0 <= first <= last <= len(typed)


def test_there_are_eighteen_transforms_and_each_says_the_same_twice() -> None:
    assert len(TRANSFORMS) == 18
    assert all(change(BAD) == change(BAD) != BAD for change in TRANSFORMS.values())
