"""Trainings end quickly, as in the workflows' tests."""

from tests.workflows.conftest import _quick_ends  # noqa: F401
