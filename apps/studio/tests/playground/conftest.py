"""Fixtures of the playground's tests: a browser and a page in it."""

from apps.studio.tests.browsing import axe, browser
from apps.studio.tests.playground.tab import file, tab

__all__ = ["axe", "browser", "file", "tab"]
