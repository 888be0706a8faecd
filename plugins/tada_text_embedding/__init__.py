"""Text and token embeddings: steering by moving what the text encoder gives, of the whole prompt or of one word."""

from tada_core.entry import Entry
from tada_core.hookspecs import hookimpl


@hookimpl
def tada_methods() -> list[Entry]:
    """The two methods."""
    targets = {
        "text-embedding": ("text:TextEmbedding", "Moves the prompt's embedding by the difference of two prompts'."),
        "token-embedding": ("token:TokenEmbedding", "Moves one word's embedding by the difference of two words'."),
    }
    return [
        Entry("method", name, f"tada_text_embedding.{target}", summary, licence="Apache-2.0")
        for name, (target, summary) in targets.items()
    ]
