"""The stages of a run, in order: localise, fit, generate, score. Each makes only what is missing."""
