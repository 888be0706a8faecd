"""The benchmark harness and the tada command."""
