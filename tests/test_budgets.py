"""The core, the whole and the tests have a ceiling of lines each."""

import pytest
from tools import budgets


def test_no_ceiling_is_exceeded() -> None:
    """Look for what a change replaces; a ceiling is no target."""
    allowed, there = budgets.ceilings(), budgets.counted()
    if allowed is None:
        pytest.skip("the ceilings of lines stand in no file beside this clone")
    assert allowed.keys() == there.keys()
    assert not {name: count for name, count in there.items() if count > allowed[name]}
