"""The guides run too; in a file of their own, so that two workers share the documents."""

import pytest
from pages import GUIDES, run_page


@pytest.mark.parametrize("page", GUIDES, ids=lambda page: page.name)
def test_every_block_of_a_guide_runs(page, module, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run_page(page, module, tmp_path)
