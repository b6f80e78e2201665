"""Epochs counted over steps whose batches became others on the way, against a walk step by step."""

import torch
from hypothesis import given
from hypothesis import strategies as st

from treino.engine.step_plan import EpochCount


def walked(per: int, changes: list[tuple[int, int]], steps: int) -> tuple[list[int], list[bool]]:
    """-> the epoch of every update, and whether it was the last one of it."""
    first, epoch, place = dict(changes), 0, per
    epoch_S: list[int] = []
    for step in range(steps):
        if step in first:
            per, place = first[step], first[step]
        if place >= per:
            epoch, place = epoch + 1, 0
        place += 1
        epoch_S.append(epoch)
    return epoch_S, [a != b for a, b in zip(epoch_S, [*epoch_S[1:], None], strict=True)]


@given(
    st.integers(1, 6),
    st.dictionaries(st.integers(1, 40), st.integers(1, 6), max_size=3).map(lambda d: sorted(d.items())),
)
def test_every_step_is_in_the_epoch_that_a_walk_finds(per: int, changes: list[tuple[int, int]]) -> None:
    count = EpochCount(per)
    for step, size in changes:
        count = count.restarted(step, size)
    steps = 60
    epoch_S, last_S = walked(per, changes, steps)
    assert [count.epoch_of(step + 1) for step in range(steps)] == epoch_S
    assert count.epochs_of(torch.arange(1, steps + 1)).tolist() == epoch_S
    for step in range(1, steps):
        ended = epoch_S[step - 1] if last_S[step - 1] else epoch_S[step - 1] - 1
        assert count.ended(step) == ended
        assert count.end_of(ended) <= step < count.end_of(ended + 1)
        assert epoch_S[step - 1] - 1 < count.passes(step) <= epoch_S[step - 1]
    newest = max((step for step, _size in changes), default=0)
    for step in range(newest, steps):
        epochs, place = count.place(step)
        assert (epochs + 1, place) == (epoch_S[step], step - count.end_of(epochs))
