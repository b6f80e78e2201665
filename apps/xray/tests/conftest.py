from tests.quick_ends import _quick_ends, undrawn  # noqa: F401
from tests.reports.test_report import here, wine  # noqa: F401
