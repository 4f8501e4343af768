"""What is particular to one kind of guard: how it is asked, and how its answer is read."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from filters.guards.verdict import Crosswalk, Verdict

# Where the text goes. Plain letters, so that no template changes it.
SLOT = "IMPRIMATURTEXTSLOT"


@dataclass(frozen=True, slots=True)
class Turn:
    """One message of a chat; `SLOT` stands for the text."""

    role: Literal["system", "user"]
    content: str


@dataclass(frozen=True, slots=True)
class Ask:
    """One question to the model.

    Attributes:
        label: what it asks about, where the model answers about one thing at a time.
        turns: rendered by the chat template that lies beside the weights, or
        raw: the whole prompt after the tokenizer's first token, where the card gives it so.
    """

    label: str = ""
    turns: tuple[Turn, ...] = ()
    raw: str = ""


@dataclass(frozen=True, slots=True)
class Reply:
    """What the model said to one question.

    Attributes:
        label: of the question.
        text: the answer, with special tokens except those at its end.
        chances: the probability of each watched word where the answer begins, 0..1.
    """

    label: str
    text: str = field(repr=False)
    chances: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Family:
    """A kind of guard.

    Attributes:
        name: in settings, findings and policies: `filters.guard.<name>`.
        languages: ISO 639 codes that its authors say it reads.
        crosswalk: from its labels to our categories.
        asks: every question that is put about a text.
        verdict: what the replies come to; raises `GuardNonsense` where one is not what such a model
            says.
        marker: words that its chat template adds: one without them belongs to another model.
        fences: words that part the text from the question, taken apart where a user writes them.
        most_tokens: of an answer.
        watched: words whose probability matters, each by its first token.
        settings: of the template.
        multimodal: whether transformers calls it a model of pictures and text.
    """

    name: str
    languages: frozenset[str]
    crosswalk: Crosswalk
    asks: tuple[Ask, ...]
    verdict: Callable[[Sequence[Reply]], Verdict]
    marker: str
    fences: tuple[str, ...]
    most_tokens: int
    watched: tuple[str, ...] = ()
    settings: Mapping[str, str] = field(default_factory=dict)
    multimodal: bool = False
