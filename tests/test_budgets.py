"""The core, the apps, the doctor and the tests have a budget of lines each."""

from tools import budgets


def test_no_budget_is_exceeded() -> None:
    """Look for what a change replaces; a number of ``budgets.toml`` is no target."""
    allowed, there = budgets.budgets(), budgets.counted()
    assert allowed.keys() == there.keys()
    assert not {name: count for name, count in there.items() if count > allowed[name]}
