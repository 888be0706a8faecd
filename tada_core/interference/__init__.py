"""How several artefacts disturb each other when they are turned together."""
