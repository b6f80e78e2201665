"""Control of how often Python's garbage collector runs.

Imports create hundreds of thousands of permanent objects; scanning them repeatedly, and again at exit, takes
a fifth of a short command's time.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

USUAL = gc.get_threshold()
RARE = 20_000, 20, 100


def collect_rarely() -> None:
    """Make collections rare. Call it in a process of ours before large imports."""
    gc.set_threshold(*RARE)


def collect_as_usual() -> None:
    """Restore Python's defaults before a user's script runs, but freeze the present objects.

    Frozen objects are never scanned again, not even at exit, when Python scans all objects several times.
    """
    gc.freeze()
    gc.set_threshold(*USUAL)


def collect_no_more() -> None:
    """Freeze all objects at the end of a process of ours. A user's script ends as usual."""
    if gc.get_threshold() == RARE:
        gc.freeze()


@contextmanager
def no_collections() -> Iterator[None]:
    """Turn off collections within the block, and restore the previous state afterwards."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()
