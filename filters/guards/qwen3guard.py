"""Qwen3Guard-Gen (0.6B, 4B, 8B), Alibaba.

Prompt: the tokenizer's chat template, with the text as the only user turn. Answer: `Safety: Safe`,
`Unsafe` or `Controversial`, then `Categories:` and names parted by commas, or `None`. Both from
QwenLM/Qwen3Guard, README.md ("Inference with Transformers"), whose patterns are used here but read
to the end: what is left over is nonsense. The 119 languages and dialects are those of Qwen3, from
QwenLM/Qwen3's announcement; here are those that the language gate can name.
"""

import re
from collections.abc import Sequence

from filters.guards.family import SLOT, Ask, Family, Reply, Turn
from filters.guards.verdict import DOUBTFUL, Crosswalk, GuardNonsense, Verdict, either

_ANSWER = re.compile(
    r"\s*(?:<think>\s*</think>\s*)?Safety: (Safe|Unsafe|Controversial)\s+Categories: ([^\n]+?)\s*"
)
_SPECIAL = re.compile(r"<\|[a-z_]+\|>")


def _verdict(replies: Sequence[Reply]) -> Verdict:
    (reply,) = replies
    answer = _ANSWER.fullmatch(_SPECIAL.sub("", reply.text))
    if answer is None:
        raise GuardNonsense("qwen3guard did not answer in its format")
    level, names = answer[1], [name.strip() for name in answer[2].split(",")]
    if level == "Safe":
        # A category beside "Safe" would be a contradiction.
        if names != ["None"]:
            raise GuardNonsense("qwen3guard called a text safe and named a category")
        return Verdict({})
    score = 1.0 if level == "Unsafe" else DOUBTFUL
    return Verdict(dict.fromkeys(names, score))


# Asks for all categories at once; the answer has three levels and no probability.
QWEN3GUARD = Family(
    name="qwen3guard",
    languages=frozenset(
        """
        en fr pt de ro sv da bg ru cs el uk es nl sk hr pl lt no nn fa sl gu lv it oc ne mr be sr lb
        vec as cy ga fo hi pa bn or tg lij gl ca is af mk si ur bs hy zh yue wuu my ar ary arz he mt
        id ms tl jv ta te kn ml tr az uz kk ba tt th lo fi et hu vi km ja ko ka eu ht sw
        """.split()  # noqa: SIM905 - read as words
    ),
    crosswalk=Crosswalk(
        "qwen3guard",
        {
            "Violent": "violence",
            "Non-violent Illegal Acts": "illicit",
            "Sexual Content or Sexual Acts": "sexual",
            "PII": either("privacy", "harassment"),
            "Personally Identifiable Information": either("privacy", "harassment"),
            "Suicide & Self-Harm": "self_harm",
            "Unethical Acts": "harassment",
            "Politically Sensitive Topics": either("political", "extremism"),
            "Copyright Violation": None,  # the claims register decides
            "Jailbreak": "evasion",
        },
    ),
    marker="Categories:",
    fences=("BEGIN CONVERSATION", "END CONVERSATION", "UNSAFE CONTENT CATEGORIES"),
    most_tokens=128,
    asks=(Ask(turns=(Turn("user", SLOT),)),),
    verdict=_verdict,
)
