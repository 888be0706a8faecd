"""Every registered method on every registered model: fits, is neutral at zero, steers, and survives saving."""

from contextlib import nullcontext

import pytest
from models.cases import SMALL
from quick import QUICK

import tada_registry as tada
from tada_core import Concept
from tada_core.errors import SpecError
from tada_core.testing import check_method

TEMPO = Concept("tempo", "fast {p}", "slow {p}", prompts=("a calm song", "the piano tune"), evaluation=("a song",))


# Without a mask a text cannot be moved along the difference of prompts of another length.
REFUSED = {("text-embedding", model): "use prompts of one length" for model in ("ace-step-1.5", "ace-step-1.5-turbo")}


# The Brownian tree of Stable Audio Open's scheduler is asked for times outside its ends by a rounding error.
@pytest.mark.filterwarnings("ignore:Should have t:UserWarning")
@pytest.mark.parametrize("model", SMALL)
@pytest.mark.parametrize("method", [entry.name for entry in tada.entries("method") if entry.installed])
def test_every_method_works_on_every_model(shelf, method, model):
    refused = REFUSED.get((method, model))
    with pytest.raises(SpecError, match=refused) if refused else nullcontext():
        check_method(tada.get_method(method, **QUICK.get(method, {})), shelf.quick(model), TEMPO)
