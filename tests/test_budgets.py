"""Each wing and app has a budget of lines that only goes down."""

import pytest
from tools import budgets

ALLOWED, THERE = budgets.budgets(), budgets.counted()


@pytest.mark.parametrize("part", ["sources", "tests"])
def test_no_budget_is_exceeded_and_none_is_too_large(part: str) -> None:
    """Where more than 2 % are left: ``python -m tools.budgets`` lowers the number."""
    assert ALLOWED[part].keys() == THERE[part].keys()
    for name, count in THERE[part].items():
        most = ALLOWED[part][name]
        assert count <= most, f"{part} of {name} have {count} lines, {most} are allowed"
        assert count >= most * (1 - budgets.SLACK), f"{part} of {name}: lower the budget to {count}"
