"""Where in a model an idea lives: activation patching, its experiments, their design and what they find."""
