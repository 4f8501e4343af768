"""Tiny guards: the real classes of transformers with some thousand weights.

A random one babbles. One that is to say something is given weights by hand: layers of nought leave
the last token's embedding as it is, and the head maps it to the token that should follow.
"""

import itertools
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
import transformers
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from filters.finding import Surface
from filters.folders import PinnedFolder
from filters.guards.family import Family
from filters.guards.guard import Guard, chat_guard
from filters.guards.weights import digest, pinned

GOOD, BAD = "a red ball on the grass", "zorks hit zorks"
SPECIAL = ["<bos>", "<eos>", "<pad>", "<|channel|>", "<|message|>", "<|return|>"]
TEMPLATE = (
    "{{ bos_token }}" + "{marker}: {% for m in messages %}[{{ m['role'] }}] "
    "{{ m['content'] }}\n{% endfor %}{% if add_generation_prompt %}[answer] {% endif %}"
)
# As Llama Guard 3-1B and 4 want it.
PARTS = TEMPLATE.replace("m['content'] }}", "m['content'][0]['text'] }}")
SMALL = {
    "hidden_size": 48, "intermediate_size": 96, "num_hidden_layers": 2,
    "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 12,
    "max_position_embeddings": 4096, "tie_word_embeddings": False,
}  # fmt: skip


def a_tokenizer(texts: Sequence[str], template: str) -> transformers.PreTrainedTokenizerFast:
    """Byte-level BPE that knows the words of `texts`."""
    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    made.train_from_iterator(
        [*texts, "safe unsafe Yes No\n" * 9],
        trainers.BpeTrainer(
            vocab_size=400,
            special_tokens=SPECIAL,
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
        ),
    )
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=made, bos_token="<bos>", eos_token="<eos>", pad_token="<pad>",
        additional_special_tokens=SPECIAL[3:], chat_template=template,
    )  # fmt: skip


def a_model(family: Family, words: int) -> torch.nn.Module:
    """The class that the family's checkpoints have, with random weights."""
    torch.manual_seed(3)
    tokens = {"vocab_size": words, "bos_token_id": 0, "eos_token_id": 1, "pad_token_id": 2}
    match family.name:
        case "llama_guard":
            return transformers.LlamaForCausalLM(transformers.LlamaConfig(**SMALL, **tokens))
        case "qwen3guard":
            return transformers.Qwen3ForCausalLM(transformers.Qwen3Config(**SMALL, **tokens))
        case "shieldgemma":
            return transformers.Gemma2ForCausalLM(transformers.Gemma2Config(**SMALL, **tokens))
        case "granite_guardian":
            return transformers.GraniteForCausalLM(transformers.GraniteConfig(**SMALL, **tokens))
        case "gpt_oss_safeguard":
            return transformers.GptOssForCausalLM(
                transformers.GptOssConfig(
                    **SMALL, **tokens, num_local_experts=2, num_experts_per_tok=1,
                    layer_types=["full_attention", "full_attention"],
                )
            )  # fmt: skip
        case "llama_guard_4":
            text = transformers.Llama4TextConfig(
                **SMALL, **tokens, intermediate_size_mlp=96, num_local_experts=2,
                num_experts_per_tok=1,
            )  # fmt: skip
            eye = transformers.Llama4VisionConfig(
                hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=64,
                vision_output_dim=16, image_size=28, patch_size=14,
                projector_input_dim=16, projector_output_dim=16,
            )  # fmt: skip
            config = transformers.Llama4Config(vision_config=eye, text_config=text)
            return transformers.Llama4ForConditionalGeneration(config)
        case _:
            raise AssertionError(family.name)


def babbling(family: Family, folder: Path) -> Path:
    """Save a guard with random weights."""
    tokenizer, model = _made(family, [])
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def saying(family: Family, folder: Path, *answer: str) -> Path:
    """Save a guard that answers everything with the tokens of `answer`."""
    tokenizer, model = _made(family, answer)
    last = family.asks[0].raw or "[answer] "
    end = tokenizer(last, add_special_tokens=False)["input_ids"][-1]
    chain = [end, *tokenizer.convert_tokens_to_ids(list(answer)), tokenizer.eos_token_id]
    with torch.no_grad():
        for name, weights in model.named_parameters():
            if "embed" not in name and "norm" not in name:
                weights.zero_()
        embedded = model.get_input_embeddings().weight
        embedded.normal_()
        head = model.get_output_embeddings().weight
        for now, following in itertools.pairwise(chain):
            head[following] += embedded[now] / 2
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def _made(
    family: Family, answer: Sequence[str]
) -> tuple[transformers.PreTrainedTokenizerFast, torch.nn.Module]:
    template = PARTS if family.multimodal else TEMPLATE
    asked = [turn.content for ask in family.asks for turn in ask.turns]
    asked += [ask.raw for ask in family.asks]
    tokenizer = a_tokenizer([*asked, GOOD, BAD], template.replace("{marker}", family.marker))
    tokenizer.add_tokens([word for word in answer if word not in SPECIAL])
    return tokenizer, a_model(family, len(tokenizer))


def files_of(folder: Path) -> PinnedFolder:
    return pinned(folder, digest(folder))


def a_guard(family: Family, folder: Path, *, timeout_s: float = 60.0) -> Guard:
    return chat_guard(
        files_of(folder), family, device="cpu", timeout_s=timeout_s, surfaces=[Surface.PROMPT]
    )


def a_classifier(folder: Path, labels: Sequence[str], *, multi_label: bool = True) -> Path:
    """Save a random RoBERTa that scores `labels`."""
    torch.manual_seed(5)
    tokenizer = a_tokenizer([GOOD, BAD], "")
    config = transformers.RobertaConfig(
        vocab_size=len(tokenizer), hidden_size=32, intermediate_size=64, num_hidden_layers=1,
        num_attention_heads=2, max_position_embeddings=130, pad_token_id=2,
        id2label=dict(enumerate(labels)), label2id={name: at for at, name in enumerate(labels)},
        problem_type="multi_label_classification" if multi_label else None,
    )  # fmt: skip
    transformers.RobertaForSequenceClassification(config).save_pretrained(folder)
    tokenizer.model_max_length = 120
    tokenizer.save_pretrained(folder)
    return folder


def spoil(folder: Path, change: Mapping[str, object], name: str = "config.json") -> None:
    """Change a JSON file of a saved guard."""
    held = json.loads((folder / name).read_text())
    (folder / name).write_text(json.dumps({**held, **change}))
