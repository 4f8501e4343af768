"""A Whisper of a few thousand random weights, with all that a real one has in its folder.

It shows that a folder is hashed, loaded and asked, and that what comes back is taken apart; it
understands nothing.
"""

import json
from pathlib import Path

import ctranslate2.converters
import torch
from faster_whisper.tokenizer import _LANGUAGE_CODES
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import (
    GenerationConfig,
    PreTrainedTokenizerFast,
    WhisperConfig,
    WhisperForConditionalGeneration,
)

_TASKS = ("translate", "transcribe", "startoflm", "startofprev", "nospeech", "notimestamps")


def tiny_whisper(folder: Path, *, multilingual: bool = True) -> Path:
    """Make a converted model in `folder`, which faster-whisper loads."""
    vocabulary = _vocabulary(multilingual=multilingual)
    source = folder / "transformers"
    _save_tokenizer(vocabulary, source)
    torch.manual_seed(1)
    model = WhisperForConditionalGeneration(_config(vocabulary))
    model.generation_config = GenerationConfig(
        **_ids(vocabulary),
        alignment_heads=[[0, 0], [1, 1]],
        lang_to_id={f"<|{code}|>": vocabulary[f"<|{code}|>"] for code in _LANGUAGE_CODES},
        suppress_tokens=[],
        begin_suppress_tokens=[],
    )
    model.save_pretrained(source)
    (source / "preprocessor_config.json").write_text(
        json.dumps({"feature_size": 80, "sampling_rate": 16_000, "hop_length": 160, "n_fft": 400})
    )
    converted = folder / "converted"
    ctranslate2.converters.TransformersConverter(
        str(source), copy_files=["tokenizer.json", "preprocessor_config.json"]
    ).convert(str(converted), quantization="int8")
    return converted


def _vocabulary(*, multilingual: bool) -> dict[str, int]:
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    special = ["endoftext", "startoftranscript", *_LANGUAGE_CODES, *_TASKS]
    special += [f"{step * 0.02:.2f}" for step in range(1501)]
    # By this token CTranslate2 tells a multilingual Whisper from an English one.
    empty = [""] if multilingual else []
    tokens = [*letters, *empty, *(f"<|{name}|>" for name in special)]
    return {token: number for number, token in enumerate(tokens)}


def _save_tokenizer(vocabulary: dict[str, int], folder: Path) -> None:
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([token for token in vocabulary if token.startswith("<|")])
    PreTrainedTokenizerFast(tokenizer_object=tokenizer).save_pretrained(folder)


def _ids(vocabulary: dict[str, int]) -> dict[str, int]:
    end = vocabulary["<|endoftext|>"]
    return {
        "decoder_start_token_id": vocabulary["<|startoftranscript|>"],
        "pad_token_id": end,
        "bos_token_id": end,
        "eos_token_id": end,
    }


def _config(vocabulary: dict[str, int]) -> WhisperConfig:
    return WhisperConfig(
        vocab_size=len(vocabulary),
        num_mel_bins=80,
        d_model=64,
        encoder_layers=2,
        decoder_layers=2,
        encoder_attention_heads=2,
        decoder_attention_heads=2,
        encoder_ffn_dim=64,
        decoder_ffn_dim=64,
        # The thirty seconds are fixed in CTranslate2: with fewer it refuses every sound.
        max_source_positions=1500,
        **_ids(vocabulary),
    )
