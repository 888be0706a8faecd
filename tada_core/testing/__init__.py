"""Conformance suites: what every model, method and metric must do, first-party or not.

    from tada_core.testing import check_method

    def test_method():
        check_method(MyMethod(), model, concept)

Each raises AssertionError with the broken rule in words.
"""

from tada_core.testing.checkpoint import check_checkpoint
from tada_core.testing.method import check_method
from tada_core.testing.metric import check_metric
from tada_core.testing.model import check_model

__all__ = ["check_checkpoint", "check_method", "check_metric", "check_model"]
