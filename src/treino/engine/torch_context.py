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
    """So many of torch's threads inside one operation, and what there were before afterwards.

    Those that wait for work burn a core: a training sets them for its whole length, not by the chunk.
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
    """No gradients recorded, so many intra-op threads, float32 products in float32 (no TF32)."""
    tf32 = torch.backends.cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32
    with torch.no_grad(), torch_threads(threads):
        try:
            if any(tf32):
                torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False
            yield
        finally:
            if any(tf32):
                torch.backends.cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32 = tf32
