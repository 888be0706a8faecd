"""Etude's trainable parts: the diffusers and transformers classes that StableAudioPipeline is made of, small."""

from __future__ import annotations

import attrs
import torch
from diffusers import StableAudioDiTModel, StableAudioProjectionModel
from diffusers.models.embeddings import get_1d_rotary_pos_embed
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
from torch import nn
from transformers import PreTrainedTokenizerFast, T5Config, T5EncoderModel

from tada_etude.synth import caption, draw
from tada_etude.training.config import TrainConfig

SECONDS_LIMIT = 8
"""Largest duration in seconds that the network's duration input can name."""


@attrs.frozen(eq=False)
class Network:
    """What is trained jointly, and the tokenizer in front of it."""

    tokenizer: PreTrainedTokenizerFast
    text_encoder: T5EncoderModel
    projection_model: StableAudioProjectionModel
    transformer: StableAudioDiTModel

    def modules(self) -> nn.ModuleDict:
        """The parts that have weights, by their name in the pipeline."""
        return nn.ModuleDict({n: getattr(self, n) for n in ("text_encoder", "projection_model", "transformer")})

    def condition(self, texts: list[str], end: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Cross-attention input [batch, length + 2, width] and global input [batch, 1, 2 width], as the pipeline's.

        `end` [batch] is the duration in seconds. Padding is zeros, and the network is not told where it begins.
        """
        tokens = self.tokenizer(texts, padding="max_length", truncation=True, return_tensors="pt")
        ids, mask = tokens.input_ids.to(end.device), tokens.attention_mask.to(end.device)
        hidden = self.text_encoder(ids, attention_mask=mask)[0]
        text = self.projection_model(text_hidden_states=hidden).text_hidden_states * mask.unsqueeze(-1)
        seconds = self.projection_model(start_seconds=torch.zeros_like(end), end_seconds=end)
        durations = [seconds.seconds_start_hidden_states, seconds.seconds_end_hidden_states]
        return torch.cat([text, *durations], 1), torch.cat(durations, 2)

    def velocity(
        self, noisy: torch.Tensor, time: torch.Tensor, condition: tuple[torch.Tensor, torch.Tensor]
    ) -> torch.Tensor:
        """Predicted v [batch, channels, tokens] of noisy latents (same shape) at `time` [batch] in (0, 1)."""
        rotary = get_1d_rotary_pos_embed(
            self.transformer.config.attention_head_dim // 2,
            noisy.shape[2] + 1,
            use_real=True,
            repeat_interleave_real=False,
        )
        predicted: torch.Tensor = self.transformer(
            noisy,
            time,
            encoder_hidden_states=condition[0],
            global_hidden_states=condition[1],
            rotary_embedding=rotary,
            return_dict=False,
        )[0]
        return predicted


def build_tokenizer(config: TrainConfig) -> PreTrainedTokenizerFast:
    """A byte-level BPE of captions: words of the captions are one token, any other text falls apart into bytes."""
    core = Tokenizer(models.BPE())
    core.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Lowercase()])
    core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    core.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=config.vocabulary,
        special_tokens=["<pad>"],
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    core.train_from_iterator((caption(draw(seed), seed) for seed in range(4000)), trainer)
    return read_tokenizer(core.to_str(), config)


def read_tokenizer(json: str, config: TrainConfig) -> PreTrainedTokenizerFast:
    """A tokenizer from the text that its backend's `to_str` gave."""
    core = Tokenizer.from_str(json)
    return PreTrainedTokenizerFast(tokenizer_object=core, pad_token="<pad>", model_max_length=config.text_length)


def build_network(config: TrainConfig, tokens: int, tokenizer: PreTrainedTokenizerFast) -> Network:
    """A network at its initial weights (from torch's global seed) for latents of `tokens` tokens.

    Its output starts at zero and its residual branches at half size, which makes the first steps quiet.
    """
    width = config.text_width
    text_encoder = build_text_encoder(config, len(tokenizer))
    transformer = StableAudioDiTModel(
        sample_size=tokens, in_channels=config.channels, out_channels=config.channels, num_layers=config.layers,
        attention_head_dim=config.head_width, num_attention_heads=config.heads,
        num_key_value_attention_heads=config.heads, cross_attention_dim=width, cross_attention_input_dim=width,
        time_proj_dim=64, global_states_input_dim=2 * width,
    )  # fmt: skip
    for module in (transformer.preprocess_conv, transformer.postprocess_conv, transformer.proj_out):
        nn.init.zeros_(module.weight)
    with torch.no_grad():
        for block in transformer.transformer_blocks:
            for module in (block.attn1.to_out[0], block.ff.net[2]):
                module.weight.mul_(0.5)
    projection = StableAudioProjectionModel(width, width, min_value=0, max_value=SECONDS_LIMIT)
    return Network(tokenizer, text_encoder, projection, transformer)


def build_text_encoder(config: TrainConfig, vocabulary: int) -> T5EncoderModel:
    """A text encoder at its initial weights (from torch's global seed)."""
    width = config.text_width
    return T5EncoderModel(
        T5Config(
            vocab_size=vocabulary, d_model=width, d_kv=32, d_ff=2 * width, num_layers=config.text_layers,
            num_heads=max(1, width // 32), feed_forward_proj="gated-gelu", dropout_rate=0.0, pad_token_id=0,
            eos_token_id=None, use_cache=False,
        )
    )  # fmt: skip


def open_text_path(transformer: StableAudioDiTModel) -> list[nn.Parameter]:
    """Draw the weights between the text and the residual stream at a size at which the text is heard; gives them back.

    By default the two projections and the values shrink the text to a four-hundredth of the residual stream. Here keys
    and values have unit size, and the logits a standard deviation of 2, so that among all heads some attend to any one
    word rather than to the empty tokens.
    """
    first, last = transformer.cross_attention_proj[0], transformer.cross_attention_proj[2]
    opened = [(first.weight, 1.4), (last.weight, 1.8)]
    for block in transformer.transformer_blocks:
        attention = block.attn2
        opened += [(part.weight, 1.4) for part in (attention.to_q, attention.to_k)]
        opened += [(part.weight, 1.0) for part in (attention.to_v, attention.to_out[0])]
    for weight, gain in opened:
        nn.init.normal_(weight, std=gain * weight.shape[1] ** -0.5)
    return [weight for weight, _ in opened]


def attention_weights(transformer: StableAudioDiTModel) -> list[nn.Parameter]:
    """Weights that decide which words are attended to."""
    return [part.weight for block in transformer.transformer_blocks for part in (block.attn2.to_q, block.attn2.to_k)]
