"""Options with which a method that trains something is fitted in a second, on any small model."""

QUICK = {
    # Few tokens come from a dozen clips of a narrow model.
    "sae": {"k": 8, "batch": 16, "epochs": 2},
    # Without guidance there is no unconditional prediction; the codes that MusicGen draws move at no lower rate.
    "concept-sliders": {"iterations": 2, "rate": 0.1, "against": "negative"},
}
