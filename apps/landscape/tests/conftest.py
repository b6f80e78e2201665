"""Trainings and reports end quickly."""

from tests.quick_ends import _quick_ends, bare  # noqa: F401
