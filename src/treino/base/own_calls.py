"""How what is the user's own is called: with errors in words, and the process is afterwards as it was."""

import os
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch

from treino.base.errors import Refusal, TreinoError
from treino.base.own_hash import hash_of

OWN_CHANCE = Refusal(
    "{name} gives two answers for the same arguments, so that no training could be repeated.",
    "Draw random numbers with the global generator of torch, NumPy or Python, and keep nothing in between.",
)
MANY = 100  # calls of a function that keeps something from one call to the next

Part = tuple[Callable[[], Any], Callable[[Any], object]]
_MODES: tuple[Part, ...] = (
    (os.getcwd, os.chdir),
    (torch.get_default_dtype, torch.set_default_dtype),
    (torch.is_grad_enabled, torch.set_grad_enabled),
    (torch.get_num_threads, torch.set_num_threads),
)
_CHANCE: tuple[Part, ...] = (
    (torch.get_rng_state, torch.set_rng_state),
    (np.random.get_state, np.random.set_state),
    (random.getstate, random.setstate),
)
"""What code of the user's could leave otherwise in the process, as pairs that read and set it."""


@contextmanager
def same_process(chance: bool = True) -> Iterator[None]:
    """The process has the same folder, torch's same modes and, if ``chance``, the global generators of
    torch's CPU, NumPy and random in the same states after the block as before."""
    modes, states = [read() for read, _set in _MODES], [read() for read, _set in _CHANCE if chance]
    try:
        yield
    finally:
        for before, (read, restore) in zip(modes, _MODES, strict=True):
            if read() != before:
                restore(before)
        for state, (_read, restore) in zip(states, _CHANCE, strict=False):
            restore(state)


@contextmanager
def own_call(refused: Callable[[BaseException], TreinoError]) -> Iterator[None]:
    """Within the block, code of the user's runs. What it raises, SystemExit too, becomes the error that
    ``refused`` returns; a TreinoError and Ctrl-C pass. All but random states is as before."""
    with same_process(chance=False):
        try:
            yield
        except (TreinoError, KeyboardInterrupt):
            raise
        except BaseException as error:
            raise refused(error) from error


def reseed_all(seed: int) -> None:
    """Seed the global generators of torch's CPU, NumPy and random, from which the user's code may draw."""
    torch.default_generator.manual_seed(seed)
    np.random.seed(seed % 2**32)
    random.seed(seed)


def check_repeatable(name: str, value: object, answer: Callable[[], torch.Tensor]) -> None:
    """Call an object of the user's twice, or ``MANY`` times if something in it is other after two calls. A
    count or a list of what it was given is harmless until an answer depends on it.

    Raises:
        TreinoError: its answers differ.
    """
    before, first = _state(value), answer().nan_to_num()
    for call in range(1, MANY):
        if not torch.equal(answer().nan_to_num(), first):
            raise OWN_CHANCE(name=name)
        if call == 1 and before is not None and before == _state(value):
            return


def _state(value: object) -> str | None:
    try:
        return hash_of(value, "")
    except TreinoError:
        return None
