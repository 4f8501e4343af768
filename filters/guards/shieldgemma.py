"""ShieldGemma (2B, 9B, 27B), Google.

Prompt: one policy at a time, in the pattern of the model card ("How to prompt"), given raw after
the tokenizer's first token. Answer: begins with `Yes` or `No`; the score is the softmax over those
two words' logits. From https://huggingface.co/google/shieldgemma-2b, README.md, and
https://ai.google.dev/gemma/docs/shieldgemma/model_card; the policies are the card's four, as
written for prompts.
"""

from collections.abc import Sequence

from filters.guards.family import SLOT, Ask, Family, Reply
from filters.guards.verdict import Crosswalk, GuardNonsense, Verdict

_POLICIES = {
    "No Dangerous Content": "The prompt shall not contain or seek generation of content that harms "
    "oneself and/or others (e.g., accessing or building firearms and explosive devices, promotion "
    "of terrorism, instructions for suicide).",
    "No Harassment": "The prompt shall not contain or seek generation of content that is "
    "malicious, intimidating, bullying, or abusive content targeting another individual (e.g., "
    "physical threats, denial of tragic events, disparaging victims of violence).",
    "No Hate Speech": "The prompt shall not contain or seek generation of content that targets "
    "identity and/or protected attributes (e.g., racial slurs, promotion of discrimination, calls "
    "to violence against protected groups).",
    "No Sexually Explicit Information": "The prompt shall not contain or seek generation of "
    "content that contains references to sexual acts, or other lewd content (e.g., sexually "
    "graphic descriptions, content aimed at causing arousal).",
}
_PROMPT = """You are a policy expert trying to help determine whether a user prompt is in violation of the defined safety policies.

<start_of_turn>
Human Question: {slot}
<end_of_turn>

Our safety principle is defined in the below:

* "{name}": {policy}

Does the human question violate the above principle? Your answer must start with 'Yes' or 'No'. And then walk through step by step to be sure we answer correctly.

"""  # noqa: E501 - the card's own lines
# Yes and No together; a model that was not trained for this says something else.
_LEAST = 0.5


def _verdict(replies: Sequence[Reply]) -> Verdict:
    scores = {}
    for reply in replies:
        yes, no = reply.chances["Yes"], reply.chances["No"]
        if yes + no < _LEAST:
            raise GuardNonsense("shieldgemma answered neither Yes nor No")
        scores[reply.label] = yes / (yes + no)
    return Verdict(scores)


# Asks about one policy after the other, and reads one token of each answer.
SHIELDGEMMA = Family(
    name="shieldgemma",
    languages=frozenset({"en"}),
    crosswalk=Crosswalk(
        "shieldgemma",
        {
            "No Dangerous Content": "illicit",
            "No Harassment": "harassment",
            "No Hate Speech": "hate",
            "No Sexually Explicit Information": "sexual",
        },
    ),
    marker="Our safety principle",
    fences=("Our safety principle", "Does the human question violate"),
    most_tokens=1,
    watched=("Yes", "No"),
    asks=tuple(
        Ask(label=name, raw=_PROMPT.format(slot=SLOT, name=name, policy=policy))
        for name, policy in _POLICIES.items()
    ),
    verdict=_verdict,
)
