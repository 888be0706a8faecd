"""Numbers of TADA's tables 2 and 3 (arXiv 2602.11910): facts, as printed, one line per concept, method and metric."""
