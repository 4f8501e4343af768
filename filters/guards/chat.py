"""The only module that runs a chat model: transformers, greedy, from pinned files."""

import re
import time
from collections.abc import Mapping, Sequence

import torch
from jinja2.exceptions import TemplateError
from transformers import (
    AutoModelForCausalLM,
    AutoModelForImageTextToText,
    AutoTokenizer,
)

from filters.finding import FilterError, ModelUnavailable
from filters.folders import PinnedFolder
from filters.guards.family import SLOT, Ask, Family, Reply
from filters.guards.verdict import GuardNonsense
from filters.turn import ModelLate

# What transformers, tokenizers and torch raise for files and inputs that do not fit.
BROKEN = (OSError, ValueError, KeyError, TypeError, RuntimeError, IndexError, AttributeError)
_WRONG = "Look whether `family` and `model` belong together."


class ChatModel:
    """A guard that answers in words.

    Args:
        device: as torch calls it, such as `cpu` or `cuda:0`.

    Raises:
        ModelUnavailable: the files do not make such a model, or its template is another one's.
    """

    def __init__(self, files: PinnedFolder, family: Family, *, device: str) -> None:
        self._family = family
        kind = AutoModelForImageTextToText if family.multimodal else AutoModelForCausalLM
        where = {"local_files_only": True, "trust_remote_code": False}
        try:
            self._tokenizer = AutoTokenizer.from_pretrained(files.folder, **where)
            self._model = kind.from_pretrained(
                files.folder, use_safetensors=True, dtype="auto", **where
            )
            self._model.to(device).eval()
        except BROKEN as broken:
            raise ModelUnavailable(
                "a guard cannot be loaded", str(files.folder), _WRONG
            ) from broken
        files.check()
        self._device = device
        self._watched = {word: self._first_token(word) for word in family.watched}
        if len(set(self._watched.values())) != len(self._watched):
            raise ModelUnavailable(
                "a guard's answers begin with the same token", str(files.folder), _WRONG
            )
        self.asks = family.asks
        self._prompts = [self._prompt(ask, files) for ask in self.asks]
        self._breaks = self._breaking()

    def pieces(self, text: str, most_tokens: int) -> list[str]:
        """Return `text` in parts of at most so many tokens, each beginning in the one before."""
        spans = self._tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)[
            "offset_mapping"
        ]
        step = max(1, most_tokens * 3 // 4)
        starts = range(0, max(1, len(spans) - most_tokens + step), step)
        if len(spans) <= most_tokens:
            return [text]
        return [
            text[spans[at][0] : spans[min(at + most_tokens, len(spans)) - 1][1]] for at in starts
        ]

    def answers(self, text: str, *, until: float) -> list[Reply]:
        """Return a reply to each of `asks`.

        Args:
            until: of `time.monotonic`.

        Raises:
            ModelLate: it is later than `until`.
            FilterError: the model failed, or gave something that is no number.
        """
        safe = self._breaks.sub(lambda found: f"{found[0][0]} {found[0][1:]}", text)
        return [
            self._answer(ask.label, prompt.replace(SLOT, safe), until)
            for ask, prompt in zip(self.asks, self._prompts, strict=True)
        ]

    def _answer(self, label: str, prompt: str, until: float) -> Reply:
        try:
            ids = self._tokenizer(prompt, add_special_tokens=False, return_tensors="pt")
            ids = ids["input_ids"].to(self._device)
            with torch.inference_mode():
                said = self._model.generate(
                    ids,
                    attention_mask=torch.ones_like(ids),
                    do_sample=False,
                    max_new_tokens=self._family.most_tokens,
                    max_time=max(0.0, until - time.monotonic()),
                    pad_token_id=self._tokenizer.pad_token_id or self._tokenizer.eos_token_id or 0,
                    return_dict_in_generate=True,
                    output_logits=True,
                )
        except BROKEN as broken:
            raise FilterError(f"{self._family.name} failed: {type(broken).__name__}") from broken
        if time.monotonic() > until:
            raise ModelLate(f"filters.guard.{self._family.name}", "did not answer in time")
        new = said.sequences[0, ids.shape[1] :]
        chances = self._chances(new, said.logits)
        kept = new.tolist()
        while kept and kept[-1] in self._tokenizer.all_special_ids:
            kept.pop()
        return Reply(label, self._tokenizer.decode(kept), chances)

    def _chances(self, new: torch.Tensor, logits: Sequence[torch.Tensor]) -> Mapping[str, float]:
        """Return the probability of each watched word at the first token that is no white space."""
        if not all(torch.isfinite(step).any() and not torch.isnan(step).any() for step in logits):
            raise GuardNonsense(f"{self._family.name} gave something that is no number")
        words = [self._tokenizer.decode([token]).strip() for token in new.tolist()]
        at = next((number for number, word in enumerate(words) if word), None)
        if at is None:
            raise GuardNonsense(f"{self._family.name} said nothing")
        likely = torch.softmax(logits[at][0].double(), dim=-1)
        return {word: float(likely[token]) for word, token in self._watched.items()}

    def _first_token(self, word: str) -> int:
        return int(self._tokenizer.encode(word, add_special_tokens=False)[0])

    def _prompt(self, ask: Ask, files: PinnedFolder) -> str:
        """Return the prompt with `SLOT` in it."""
        rendered = self._raw(ask) if ask.raw else self._rendered(ask)
        if rendered.count(SLOT) != 1 or self._family.marker not in rendered:
            raise ModelUnavailable(
                f"the chat template is not that of {self._family.name}", str(files.folder), _WRONG
            )
        return rendered

    def _raw(self, ask: Ask) -> str:
        return str(self._tokenizer.bos_token or "") + ask.raw

    def _rendered(self, ask: Ask) -> str:
        plain = [{"role": turn.role, "content": turn.content} for turn in ask.turns]
        parts = [
            {"role": turn.role, "content": [{"type": "text", "text": turn.content}]}
            for turn in ask.turns
        ]
        # Some templates take a text, others (Llama Guard 3-1B and 4) a list of parts.
        for turns in (plain, parts):
            try:
                rendered = self._tokenizer.apply_chat_template(
                    turns,
                    tokenize=False,
                    add_generation_prompt=True,
                    **self._family.settings,
                )
            except (TemplateError, *BROKEN):
                continue
            if rendered.count(SLOT) == 1:
                return str(rendered)
        return ""

    def _breaking(self) -> re.Pattern[str]:
        """Return what a user may not write as it is: special tokens, and what fences the text."""
        special = {
            str(token)
            for token in self._tokenizer.added_tokens_decoder.values()
            if token.special or str(token).startswith("<")
        }
        words = sorted({word for word in special if len(word) > 1} | set(self._family.fences))
        return re.compile("|".join(map(re.escape, words)) or r"(?!)", re.IGNORECASE)
