"""Random number generators: one for each seed, purpose and epoch, never the global one."""

import hashlib

import torch


def generator(seed: int, purpose: str, epoch: int = 0) -> torch.Generator:
    """A CPU generator that depends on its three arguments alone.

    It is seeded with the first 63 bits of SHA-256("seed/purpose/epoch"), so that neighbouring seeds and
    epochs have nothing in common and a purpose never disturbs another one.
    """
    digest = hashlib.sha256(f"{seed}/{purpose}/{epoch}".encode()).digest()
    return torch.Generator(device="cpu").manual_seed(int.from_bytes(digest[:8], "big") >> 1)
