"""torch's global state during a training (threads, gradients, TF32), and its restoration afterwards."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import torch


def cpu_cores() -> int:
    """CPU cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def torch_threads(threads: int) -> Iterator[None]:
    """Set torch's intra-op threads, and restore their number on exit.

    Idle threads keep a core busy for a while, so a training sets them once, not for each chunk.
    """
    before = torch.get_num_threads()
    try:
        if threads != before:
            torch.set_num_threads(threads)
        yield
    finally:
        if torch.get_num_threads() != before or threads != before:
            torch.set_num_threads(before)


@contextmanager
def torch_context(threads: int) -> Iterator[None]:
    """Turn off gradient recording and TF32, and set the intra-op threads."""
    tf32 = torch.backends.cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32
    with torch.no_grad(), torch_threads(threads):
        try:
            if any(tf32):
                torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False
            yield
        finally:
            if any(tf32):
                torch.backends.cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32 = tf32
