"""torch's global state, as training needs it: set for a chunk and put back, whatever happens."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def torch_state(threads: int) -> Iterator[None]:
    """No gradients recorded, so many intra-op threads, float32 products in float32 (no TF32)."""
    before = torch.get_num_threads()
    tf32 = torch.backends.cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32
    with torch.no_grad():
        try:
            if threads != before:
                torch.set_num_threads(threads)
            if any(tf32):
                torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False
            yield
        finally:
            if torch.get_num_threads() != before or threads != before:
                torch.set_num_threads(before)
            if any(tf32):
                torch.backends.cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32 = tf32
