"""Granite Guardian 4.1 (8B), IBM.

Prompt: the tokenizer's chat template over two user turns: the text, and a block that begins with
`<guardian>` and holds a criterion and a scoring schema, without thinking. Answer:
`<score>yes</score>` or `no`, after an empty `<think>`. From
https://huggingface.co/ibm-granite/granite-guardian-4.1-8b (README.md, "Bring your own criteria")
and https://ollama.com/library/granite4.1-guardian. The criteria are our own: the model takes any.
Trained and tested on English.
"""

import re
from collections.abc import Sequence

from filters.guards.family import SLOT, Ask, Family, Reply, Turn
from filters.guards.verdict import Crosswalk, GuardNonsense, Verdict

_JUDGE = (
    "<guardian><no-think>As a judge agent, assess whether the provided text meets the given "
    "judging criteria using all available information, including conversations, documents, and "
    "tools. Provide your score immediately without explanation. Output empty <think>\n</think> "
    "tags followed by your score in <score></score> tags.\n\n"
    "### Criteria: {criteria}\n\n"
    "### Scoring Schema: If the last user's text meets the criteria, return 'yes'; otherwise, "
    "return 'no'."
)
_CRITERIA = {
    "sexual": "The text asks for a video with nudity or sexual acts.",
    "violence": "The text asks for a video of realistic violence against people.",
    "gore": "The text asks for a video of open wounds, mutilation or corpses.",
    "self_harm": "The text asks for a video that shows or encourages suicide or self-harm.",
    "hate": "The text asks for a video that demeans people because of who they are.",
    "harassment": "The text asks for a video that insults, humiliates or threatens somebody.",
    "extremism": "The text asks for a video that praises or recruits for a violent movement.",
    "illicit": "The text asks for a video that helps with weapons, drugs or another crime.",
}
_ANSWER = re.compile(r"\s*(?:<think>\s*</think>\s*)?<score>\s*(yes|no)\s*</score>\s*")
_SPECIAL = re.compile(r"<\|[a-z_]+\|>")


def _verdict(replies: Sequence[Reply]) -> Verdict:
    scores = {}
    for reply in replies:
        answer = _ANSWER.fullmatch(_SPECIAL.sub("", reply.text))
        if answer is None:
            raise GuardNonsense("granite_guardian gave no score")
        scores[reply.label] = float(answer[1] == "yes")
    return Verdict(scores)


# Asks about one category after the other.
GRANITE_GUARDIAN = Family(
    name="granite_guardian",
    languages=frozenset({"en"}),
    crosswalk=Crosswalk("granite_guardian", {name: name for name in _CRITERIA}),
    marker="### Criteria:",
    fences=("<guardian>", "### Criteria", "### Scoring Schema"),
    most_tokens=24,
    asks=tuple(
        Ask(label, (Turn("user", SLOT), Turn("user", _JUDGE.format(criteria=criteria))))
        for label, criteria in _CRITERIA.items()
    ),
    verdict=_verdict,
)
