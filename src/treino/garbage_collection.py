"""How often Python's garbage collector runs. Imports make hundreds of thousands of objects that all stay: to
look through them again and again, and once more as the process ends, is a fifth of a short command.
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
    """As Python does it, but for what is there by now, which stays: before a script that isn't ours runs.

    What was imported so far is never looked through again, not even as the process ends, when Python looks
    through everything several times over.
    """
    gc.freeze()
    gc.set_threshold(*USUAL)


def collect_no_more() -> None:
    """At the end of a process of our own, whose memory goes at once; a script's objects end as usual."""
    if gc.get_threshold() == RARE:
        gc.freeze()


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
