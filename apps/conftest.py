"""The fixtures of all tests, and what makes them repeatable, for those of the apps."""

from tests.conftest import (  # noqa: F401
    _browser,
    _english,
    _offline,
    _one_thread,
    _our_defects,
    pytest_configure,
    thorough,
    treino,
)
