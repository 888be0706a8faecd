"""The one engine: rows in, clips out. nnsight is imported in `trace` and nowhere else."""
