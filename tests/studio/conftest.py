"""The browser of the tests of pages."""

from tests.studio.browsing import axe, browser

__all__ = ["axe", "browser"]
