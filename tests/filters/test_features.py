from filters.features import buckets, pieces


def test_words_are_found_and_what_cannot_be_seen_is_not() -> None:
    text = "a red \u200b ball"

    assert [text[start:end] for start, end in pieces(text)] == ["a", "red", "ball"]
    assert pieces("\u200b \ue000 \ufffd\n") == []


def test_a_text_without_spaces_is_cut_and_not_skipped() -> None:
    found = pieces("a" * 2000)

    assert all(end - start <= 24 for start, end in found)
    assert sum(end - start for start, end in found) == 2000


def test_buckets_are_the_same_on_every_machine() -> None:
    # CRC-32 of "w:a" and of " a ", modulo the number of buckets.
    assert buckets("a").tolist() == [0x2870, 0xE5DC]
