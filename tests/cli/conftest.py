"""Trainings end quickly, as in the workflows' tests."""

from tests.workflows.conftest import _pictures, _quick_ends  # noqa: F401
