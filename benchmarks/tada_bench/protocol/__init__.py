"""The evaluation protocol (TADA sect. 5.1) as pure functions: curves, cut-off, area, smoothness, intervals."""
