import pytest

from filters.finding import Category, Surface
from filters.languages import ENGLISH, UNNAMED, language, spoken


def read(text: str) -> tuple[float, set[str]]:
    heard = spoken(text)
    return heard.foreign, set(heard.languages)


ENGLISH_PROMPTS = [
    "a banana and a keyboard",
    "A red ball",
    "oven",
    "An orange cat is running.",
    "A TRAIN LEAVES THE STATION IN HEAVY RAIN",
    "Garden, zoom in.",
    "Paris, Champs-Élysées at dawn, people in cafés",
    "A tram in Kraków passes the Rynek Główny",
    "A gondola below the Rialto bridge in Venice, Canaletto style",
    "A walk from Zaandam to Schiermonnikoog with a friend",
    "A crisp can of Fanta on a table beside a Toyota Corolla",
    "An ad for Vorwerk vacuum cleaners with a smiling family",
    "A woman eats spaghetti carbonara and tiramisu in a trattoria",
    "4k, 60 fps, 1080p, a drone shot over the sea",
    "A cat 🐈 and a dog 🐕 run 🎉🎉",
    "The letter π on a blackboard, next to Ω",
    "zoom out, tilt up, slow motion, bokeh, cinematic",
]


@pytest.mark.parametrize("text", ENGLISH_PROMPTS)
def test_an_english_prompt_is_english_whatever_places_brands_and_signs_it_names(text: str) -> None:
    assert read(text) == (0.0, {ENGLISH})


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Eine Frau geht durch den Regen nach Hause", "de"),
        ("Une femme marche sous la pluie vers sa maison", "fr"),
        ("Una mujer camina bajo la lluvia hacia su casa", "es"),
        ("Mwanamke anatembea kwenye mvua kwenda nyumbani", "sw"),
        ("Một người phụ nữ đi bộ trong mưa về nhà", "vi"),
        ("Женщина идёт под дождём домой", "ru"),
        ("一个女人在雨中走回家", "zh"),
        ("女性が雨の中を家に歩いて帰る", "ja"),
        ("여자가 빗속을 걸어 집으로 간다", "ko"),
        ("امرأة تمشي تحت المطر إلى المنزل", "ar"),
        ("EINE FRAU GEHT DURCH DEN REGEN NACH HAUSE", "de"),
    ],
)
def test_another_language_is_held_and_named(text: str, code: str) -> None:
    foreign, languages = read(text)

    assert foreign >= 0.9
    assert languages == {code}


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("A woman walks home through the rain und wird von einem Mann verfolgt", "de"),
        ("Ein Mann verfolgt eine Frau durch den Wald, then the camera zooms out slowly", "de"),
        ("A quiet street at night, puis un homme frappe violemment la femme, cinematic", "fr"),
        ("A sunny beach with palm trees. Потом мужчина бьёт женщину.", "ru"),
        ("A calm lake at dawn with birds 杀死所有的人 and soft light", "zh"),
    ],
)
def test_an_english_sentence_with_a_foreign_half_is_held_and_both_are_named(
    text: str, code: str
) -> None:
    foreign, languages = read(text)

    assert foreign >= 0.5
    assert languages == {ENGLISH, code}


@pytest.mark.parametrize(
    "text",
    [
        "mujhe us aadmi ko maarna hai",  # Hindi in Latin letters
        "ana 3ayez a2tel el nas dol kollohom",  # Arabic in Latin letters and digits
        "ya khochu ubit etogo cheloveka",  # Russian in Latin letters
        "wo yao sha le zhe ge ren",  # Chinese in Latin letters
    ],
)
def test_romanised_text_is_held_even_where_nobody_can_name_it(text: str) -> None:
    assert read(text)[0] >= 0.5


@pytest.mark.parametrize("text", ["", "   ", "1080 60 24", "💥💥🔫", "???!!!", "12:30"])
def test_a_text_without_a_word_is_not_called_english(text: str) -> None:
    assert read(text) == (1.0, {UNNAMED})


@pytest.mark.parametrize("text", ["Hakenkreuz", "vergewaltigung", "убийство", "山"])
def test_a_single_foreign_word_is_held(text: str) -> None:
    assert read(text)[0] >= 0.5


def test_capitals_do_not_turn_foreign_words_into_names() -> None:
    assert read("Zwei Soldaten Erschlagen Einen Gefangenen")[0] >= 0.5


def test_a_disguised_english_word_is_not_foreign() -> None:
    assert read("A n\u0430ked man in a garden")[0] == 0.0  # a Cyrillic a


def test_the_finding_says_who_looked_and_how_much_is_foreign() -> None:
    found = language("Guten Morgen zusammen", Surface.PROMPT, "filters.text@1")

    assert (found.category, found.score) == (Category.LANGUAGE, 1.0)
    assert (found.surface, found.detector) == (Surface.PROMPT, "filters.text@1")
