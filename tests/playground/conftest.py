"""Fixtures of the playground's tests: a browser and a page in it."""

from tests.playground.tab import file, tab
from tests.studio.browsing import axe, browser

__all__ = ["axe", "browser", "file", "tab"]
