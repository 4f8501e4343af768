"""Words that are spelt another way and sound the same, "seggs" or "phuk", and what they stand for.

Only for what is no English word, and only for words that a filter looks for: a name that happens to
sound like one is read both ways, and what was typed stays the first of them.
"""

import re
from functools import cache

# Words that people spell by ear to get past filters, with the endings that they take.
_SPELT_BY_EAR = """
abuse behead beheaded bleed bleeding blood bloody bomb bombing bombs boobs breast breasts
cocaine cock corpse corpses cum dead decapitated die dick dildo drug drugs erotic execute
execution explode explosion explosive fascist fetish fuck fucked fucker fucking genocide gore
hang hanging heroin hitler incest jihad kill killed killer killing kills lynch massacre
masturbate masturbating meth molest murder murdered murderer naked nazi nazis nipple nipples
nude nudes nudity orgasm orgy overdose penis poison porn porno prostitute pussy racist rape
raped rapist sex sexual sexy shoot shooting slaughter slave slit stab stabbed stabbing strip
stripper stripping suicidal suicide swastika terror terrorist terrorists topless torture
tortured undress vagina whore
"""
# What people say instead, which sounds like nothing.
_SAID_INSTEAD = {"unalive": "kill", "unalived": "killed", "unaliving": "killing"}
# Each spelling of a sound becomes one sign, in this order: after Metaphone's table, without its
# exceptions, and finer where a word is short.
_SPELLINGS = tuple(
    (re.compile(pattern), sound)
    for pattern, sound in (
        (r"([a-z])\1+", r"\1"),
        (r"mb$|mb(?=s$|ing$|ed$)", "m"),
        (r"^kn|^gn", "n"),
        (r"^wr", "r"),
        (r"^wh(?=o)", "h"),
        (r"ph", "f"),
        (r"tch|ch", "C"),
        (r"th", "T"),
        (r"cre$", "ker"),
        (r"sh|ti(?=on)|ci(?=a)", "S"),
        (r"dg(?=e)|j|g(?=[eiy])", "J"),
        (r"c(?=[eiy])", "s"),
        (r"ck|[ckq]|(?<=[a-z])g", "k"),
        (r"x", "ks"),
        (r"tz|z", "s"),
        (r"(?<=[a-zCSJT])h", ""),
        (r"(?<=[a-zCSJT])e$", ""),
        (r"([a-zCSJT])\1+", r"\1"),
    )
)
_VOWELS = re.compile(r"[aeiouyw]+")
# Fewer consonants are a sound that many words share: there, the vowel has to agree too.
_TELLING = 3
_SHORTEST = 3


def meant(word: str) -> str | None:
    """Return the word that filters look for which sounds like `word`; None if there is none."""
    if len(word) < _SHORTEST:
        return None
    said = _said(word)
    exact, loose = _by_sound()
    return _SAID_INSTEAD.get(word) or exact.get(_sharp(said)) or loose.get(_blurred(said))


def _said(word: str) -> str:
    for spelling, sound in _SPELLINGS:
        word = spelling.sub(sound, word)
    return word


def _sharp(said: str) -> str:
    """Return `said` with each run of vowels as one of three: spread, open or round."""
    return _VOWELS.sub(lambda vowels: _kind(vowels[0]), said)


def _kind(vowels: str) -> str:
    if vowels[0] in "eiy":
        return "i"
    return "u" if vowels[0] in "ouw" else "a"


def _blurred(said: str) -> str:
    """Return where `said` has vowels, and not which; "" where too few consonants tell it apart."""
    return _VOWELS.sub("-", said) if len(_VOWELS.sub("", said)) >= _TELLING else ""


@cache
def _by_sound() -> tuple[dict[str, str], dict[str, str]]:
    exact: dict[str, str] = {}
    loose: dict[str, str] = {}
    for word in _SPELT_BY_EAR.split():
        said = _said(word)
        exact.setdefault(_sharp(said), word)
        if _blurred(said):
            loose.setdefault(_blurred(said), word)
    return exact, loose
