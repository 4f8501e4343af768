"""Tiny image classifiers: the real classes of transformers with some thousand random weights."""

from collections.abc import Mapping
from pathlib import Path

import torch
import transformers
from safetensors.torch import load_file, save_file

from filters.finding import Surface
from filters.guards.weights import digest
from filters.image_models.chosen import Choice, ImageModel, load
from tests.filters.guards.builders import a_tokenizer

SIDE = {"height": 32, "width": 32}
EYE = {
    "hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 64,
    "image_size": 32, "patch_size": 8,
}  # fmt: skip
BLOOD, CALM = "a picture of blood", "a calm picture"
FALCON: Mapping[str, str | None] = {"normal": None, "nsfw": "sexual"}
SENTENCES: Mapping[str, str | None] = {BLOOD: "gore", CALM: None}
_TURNS = (
    "{% for m in messages %}{% for c in m['content'] %}{% if c['type'] == 'image' %}"
    "<start_of_image>{% else %}{{ c['text'] }}{% endif %}{% endfor %}{% endfor %}[answer] "
)
_MARKS = {
    "boi_token": "<start_of_image>",
    "eoi_token": "<end_of_image>",
    "image_token": "<image_soft_token>",
}


def a_vit(folder: Path, *, several: bool = False) -> Path:
    """Save a ViT with Falconsai's labels."""
    torch.manual_seed(1)
    config = transformers.ViTConfig(
        **EYE, id2label=dict(enumerate(FALCON)), label2id={"normal": 0, "nsfw": 1},
        problem_type="multi_label_classification" if several else None,
    )  # fmt: skip
    transformers.ViTForImageClassification(config).save_pretrained(folder)
    transformers.ViTImageProcessor(size=SIDE).save_pretrained(folder)
    return folder


def a_siglip(folder: Path) -> Path:
    """Save a SigLIP."""
    torch.manual_seed(2)
    tokenizer = a_tokenizer([BLOOD, CALM], "")
    tokenizer.model_max_length = 16
    words = {
        "vocab_size": len(tokenizer), "hidden_size": 32, "num_hidden_layers": 1,
        "num_attention_heads": 2, "intermediate_size": 64, "max_position_embeddings": 16,
        "pad_token_id": 2, "bos_token_id": 0, "eos_token_id": 1, "projection_size": 32,
    }  # fmt: skip
    config = transformers.SiglipConfig(text_config=words, vision_config=EYE)
    transformers.SiglipModel(config).save_pretrained(folder)
    eye = transformers.SiglipImageProcessor(size=SIDE)
    transformers.SiglipProcessor(eye, tokenizer).save_pretrained(folder)
    return folder


def a_clip(folder: Path) -> Path:
    """Save a CLIP, which shares one probability between all sentences."""
    torch.manual_seed(3)
    tokenizer = a_tokenizer([BLOOD, CALM], "")
    tokenizer.model_max_length = 16
    words = {
        "vocab_size": len(tokenizer), "hidden_size": 32, "num_hidden_layers": 1,
        "num_attention_heads": 2, "intermediate_size": 64, "max_position_embeddings": 16,
        "pad_token_id": 2, "bos_token_id": 0, "eos_token_id": 1,
    }  # fmt: skip
    config = transformers.CLIPConfig(text_config=words, vision_config=EYE, projection_dim=32)
    transformers.CLIPModel(config).save_pretrained(folder)
    eye = transformers.CLIPImageProcessor(size=SIDE, crop_size=SIDE)
    transformers.CLIPProcessor(eye, tokenizer).save_pretrained(folder)
    return folder


def a_shieldgemma(folder: Path) -> Path:
    """Save a ShieldGemma 2 with its three policies."""
    torch.manual_seed(4)
    plain = a_tokenizer(["You are a policy expert"], _TURNS)
    plain.add_special_tokens({"additional_special_tokens": list(_MARKS.values())})
    marks = plain.convert_tokens_to_ids(list(_MARKS.values()))
    tokenizer = transformers.PreTrainedTokenizerFast(
        tokenizer_object=plain.backend_tokenizer, bos_token="<bos>", eos_token="<eos>",
        pad_token="<pad>", extra_special_tokens=_MARKS,
    )  # fmt: skip
    words = {
        "vocab_size": len(tokenizer), "hidden_size": 32, "num_hidden_layers": 1,
        "num_attention_heads": 2, "num_key_value_heads": 1, "head_dim": 16,
        "intermediate_size": 64, "max_position_embeddings": 4096, "pad_token_id": 2,
        "bos_token_id": 0, "eos_token_id": 1,
    }  # fmt: skip
    config = transformers.ShieldGemma2Config(
        text_config=words, vision_config=EYE, mm_tokens_per_image=4, boi_token_index=marks[0],
        eoi_token_index=marks[1], image_token_index=marks[2], image_token_id=marks[2],
        yes_token_index=10, no_token_index=11,
    )  # fmt: skip
    transformers.ShieldGemma2ForImageClassification(config).save_pretrained(folder)
    eye = transformers.Gemma3ImageProcessor(size=SIDE, image_seq_length=4)
    transformers.ShieldGemma2Processor(
        eye, tokenizer, chat_template=_TURNS, image_seq_length=4
    ).save_pretrained(folder)
    return folder


def sick(folder: Path) -> Path:
    """Fill the weights with what is no number."""
    path = folder / "model.safetensors"
    weights = {name: torch.full_like(one, torch.nan) for name, one in load_file(path).items()}
    save_file(weights, path, metadata={"format": "pt"})
    return folder


def a_choice(
    family: str, folder: Path, labels: Mapping[str, str | None] | None = None, **changed: object
) -> Choice:
    fields: dict[str, object] = {
        "family": family, "model": str(folder), "sha256": digest(folder), "timeout_s": 60.0,
        "surfaces": frozenset(Surface), "labels": labels or {}, "device": "cpu",
    }  # fmt: skip
    return Choice(**fields | changed)  # type: ignore[arg-type]


def a_model(
    family: str, folder: Path, labels: Mapping[str, str | None] | None = None, **changed: object
) -> ImageModel:
    return load(a_choice(family, folder, labels, **changed), offline=True)
