"""etude behind the adapter contract: a genuine Stable Audio pipeline at small size, its weights in this package."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

# diffusers loads components of our own only from modules that are imported already.
import tada_etude.decoder
import tada_etude.scheduler  # noqa: F401
from tada_core.adapter import Batch, Defaults
from tada_core.pipelines import PipelineAdapter, stack
from tada_core.sites import Layer


class Etude(PipelineAdapter):
    """The embedded text-to-music model: 4 seconds of synthesised music, on any CPU."""

    name: ClassVar[str] = "etude"
    licence: ClassVar[str] = "Apache-2.0"
    pipeline: ClassVar[str] = "StableAudioPipeline"
    source: ClassVar[str] = str(Path(__file__).parent / "weights")
    batched: ClassVar[tuple[int | str, ...]] = (0, "encoder_hidden_states", "global_hidden_states")

    def find_layers(self) -> tuple[Layer, ...]:
        """Every block has one cross-attention; the network puts one global token before the frames."""
        network = self.pipe.transformer
        return stack(network, "transformer_blocks", "attn2", network.inner_dim, prefix=1)

    def find_defaults(self) -> Defaults:
        """Full length, and the settings the weights were measured with."""
        return Defaults(seconds=self.limit(), steps=16, guidance=4.0, batch=8)

    def limit(self) -> float:
        """The length that every run denoises."""
        return float(self.pipe.transformer.config.sample_size * self.pipe.vae.hop_length / self.rate)

    def arguments(self, batch: Batch) -> dict[str, Any]:
        """The length alone; prompt, steps, guidance and seeds are every pipeline's."""
        return {"audio_end_in_s": batch.seconds}
