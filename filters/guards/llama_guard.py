"""Llama Guard 3 (1B, 8B) and 4 (12B), Meta.

Prompt: the tokenizer's chat template, with the text as the only user turn. Answer: `safe`, or
`unsafe` and on the second line the hazards, such as `S1,S10`. Score: the probability that the
answer begins with `unsafe`. All three from the model cards in meta-llama/PurpleLlama
(Llama-Guard3/8B/MODEL_CARD.md: "we look at the probability for the first token, and use that as
the unsafe class probability"; Llama-Guard4/12B/MODEL_CARD.md) and from
https://www.llama.com/docs/model-cards-and-prompt-formats/llama-guard-3/.
"""

import re
from collections.abc import Sequence
from dataclasses import replace

from filters.guards.family import SLOT, Ask, Family, Reply, Turn
from filters.guards.verdict import Crosswalk, GuardNonsense, Verdict, either

_SPECIAL = re.compile(r"<\|[a-z_]+\|>")
_HAZARDS = re.compile(r"S\d{1,2}(?:\s*,\s*S\d{1,2})*")


def _verdict(replies: Sequence[Reply]) -> Verdict:
    (reply,) = replies
    first, _, rest = _SPECIAL.sub("", reply.text).strip().partition("\n")
    if first.strip() == "safe" and not rest.strip():
        return Verdict({})
    if first.strip() == "unsafe" and _HAZARDS.fullmatch(rest.strip()):
        # Greedy decoding chose it, so it is at least as likely as "safe".
        score = max(0.5, reply.chances["unsafe"])
        return Verdict({label.strip(): score for label in rest.split(",")})
    raise GuardNonsense("llama_guard answered neither safe nor unsafe")


# Asks for all hazards at once.
LLAMA_GUARD = Family(
    name="llama_guard",
    # The card's "Supported languages".
    languages=frozenset({"en", "fr", "de", "hi", "it", "pt", "es", "th"}),
    crosswalk=Crosswalk(
        "llama_guard",
        {
            "S1": "violence",
            "S2": "illicit",
            "S3": "sexual",
            "S4": "minors",
            "S5": "harassment",
            "S6": None,  # specialised advice: a film gives none
            "S7": either("privacy", "harassment"),
            "S8": None,  # intellectual property: the claims register decides
            "S9": "illicit",
            "S10": "hate",
            "S11": "self_harm",
            "S12": "sexual",
            "S13": either("political", "extremism"),
            "S14": None,  # abuse of a code interpreter
        },
    ),
    marker="BEGIN UNSAFE CONTENT CATEGORIES",
    fences=("BEGIN CONVERSATION", "END CONVERSATION", "UNSAFE CONTENT CATEGORIES"),
    most_tokens=48,
    watched=("safe", "unsafe"),
    asks=(Ask(turns=(Turn("user", SLOT),)),),
    verdict=_verdict,
)
# The same answers from a model of text and pictures, of which the text half is used.
LLAMA_GUARD_4 = replace(LLAMA_GUARD, name="llama_guard_4", multimodal=True)
