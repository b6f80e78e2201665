"""How often Python's garbage collector runs. Imports make hundreds of thousands of objects that all stay: to
look through them again and again is a tenth of the start of a command.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

USUAL = gc.get_threshold()
RARE = 20_000, 20, 100


def collect_rarely() -> None:
    """For a process of our own, before it imports anything large."""
    gc.set_threshold(*RARE)


def collect_as_usual() -> None:
    """As Python does it: before a script that isn't ours runs."""
    gc.set_threshold(*USUAL)


@contextmanager
def collect_later() -> Iterator[None]:
    """No collection inside, whatever is usual; afterwards it is as it was, on or off."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()
