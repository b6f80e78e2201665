"""Curves as pages draw them: measured points, the lowest and the highest kept, in both studios alike."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.studio.tests.playground.node import in_node, node
from treino.plots import drawn_places
from treino_studio.run_state import ThinnedLosses

values = st.one_of(st.floats(-1e6, 1e6), st.just(float("nan")))
points = st.lists(st.tuples(st.integers(1, 50), values), min_size=1, max_size=200)


@given(points, st.integers(5, 60))
def test_extremes_and_ends_are_drawn(points: list[tuple[int, float]], most: int) -> None:
    at, value_N = np.cumsum([apart for apart, _ in points]).tolist(), [value for _, value in points]
    places = drawn_places(at, value_N, most)
    assert len(places) <= max(most, 5)
    assert places == sorted(set(places))
    assert (places[0], places[-1]) == (0, len(at) - 1)
    measured = [value for value in value_N if value == value]
    if measured:
        drawn = [value_N[k] for k in places if value_N[k] == value_N[k]]
        assert (min(drawn), max(drawn)) == (min(measured), max(measured))


def sent(parts: list[list[float]]) -> list[dict[str, Any] | None]:
    thinned, all_S = ThinnedLosses(), np.zeros(0, np.float32)
    messages = []
    for part in parts:
        all_S = np.concatenate([all_S, np.asarray(part, np.float32)])
        messages.append(thinned.more(all_S))
    return messages


@pytest.mark.slow
@in_node
@settings(max_examples=8, deadline=None)
@given(
    st.lists(st.integers(1, 9000), min_size=1, max_size=4), st.integers(0, 2**31), points, st.integers(5, 60)
)
def test_the_playground_draws_the_same_points(
    lengths: list[int], seed: int, points: list[tuple[int, float]], most: int
) -> None:
    parts = [np.random.default_rng(seed + k).lognormal(size=n).tolist() for k, n in enumerate(lengths)]
    at = np.cumsum([apart for apart, _ in points]).tolist()
    entries = [
        {"step": step, "value": None if value != value else value}
        for step, (_, value) in zip(at, points, strict=True)
    ]
    found = node("curves.mjs", {"parts": parts, "entries": entries, "most": most, "epochs": []})
    assert found["drawn"] == [at[k] for k in drawn_places(at, [value for _, value in points], most)]
    for own, message in zip(found["sent"], sent(parts), strict=True):
        if message is None:
            assert own["step"] == []
            continue
        assert own.keys() == message.keys()
        for name in own:
            assert own[name] == pytest.approx(message[name], rel=1e-6), name


def test_a_point_that_is_a_mean_says_between_which_losses() -> None:
    """A single loss that stands out is seen however long the run is."""
    loss_S = np.full(50_000, 0.5, np.float32)
    loss_S[31_234] = 90
    (message,) = sent([loss_S.tolist()])
    assert message is not None
    assert len(message["step"]) <= 4000
    assert (max(message["high"]), min(message["low"])) == (90, 0.5)
    assert max(message["loss"]) < 10
    assert "high" not in (sent([loss_S[:100].tolist()])[0] or {})


@in_node
def test_epochs_that_were_measured_stay_from_the_first_to_the_last() -> None:
    """However many epochs follow: 82,400, each seventh with a validation loss, one of which stands out."""
    epochs = [
        {
            "epoch": k,
            "step": k,
            "train": {},
            "validation": {"loss": 9 if k == 7007 else 1 / k} if k % 7 == 0 else {},
        }
        for k in range(1, 82_401)
    ]
    found = node("curves.mjs", {"parts": [], "entries": [], "most": 5, "epochs": epochs})["epochs"]
    at = [each["step"] for each in found if each["validation"]]
    assert len(found) <= 1500
    assert 7007 in at
    assert max(np.diff([1, *at, 82_400])) < 82_400 / 100  # no hole
