from tests.quick_ends import _quick_ends, bare, undrawn  # noqa: F401
