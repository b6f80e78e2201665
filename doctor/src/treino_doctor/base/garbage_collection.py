"""Control of how often Python's garbage collector runs.

Imports create hundreds of thousands of permanent objects; scanning them repeatedly, and again at exit, takes
a fifth of a short command's time. So nothing is collected until there are as many.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

USUAL = gc.get_threshold()
FIRST = 500_000, 20, 100  # objects: a few more than a command of ours imports
RARE = 20_000, 20, 100


def collect_rarely() -> None:
    """Make collections rare, the first one above all. Call it in a process of ours before large imports."""
    gc.set_threshold(*FIRST)
    gc.callbacks.append(_first_begins)


def _first_begins(*_arguments: object) -> None:
    """From the first collection on, let them come sooner: drawn figures are garbage that holds megabytes."""
    gc.callbacks.remove(_first_begins)
    gc.set_threshold(*RARE)


def collect_as_usual() -> None:
    """Restore Python's defaults before a user's script runs. All objects until then are frozen: never scanned
    again, not even at exit, when Python scans all objects several times."""
    gc.freeze()
    gc.callbacks[:] = [each for each in gc.callbacks if each is not _first_begins]
    gc.set_threshold(*USUAL)


def collect_no_more() -> None:
    """Freeze all objects at the end of a process of ours. A user's script ends as usual."""
    if gc.get_threshold() in (FIRST, RARE):
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
