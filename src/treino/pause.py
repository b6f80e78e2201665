"""A pause of Python's garbage collector, where much is made at once that all stays."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def collecting_later() -> Iterator[None]:
    """No collection inside: in imports and in the parse of a source it would find nothing, a quarter of their
    time. Afterwards it is as it was, on or off.
    """
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()
