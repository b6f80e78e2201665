"""The course's Adam: what its slips do, and that it is torch's without them."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from treino_microscope import course_adam
from treino_microscope.course_adam import ADAM, Course, compared

NUMBERS = st.floats(-50, 50).filter(lambda x: abs(x) > 1e-3)


@settings(max_examples=50)
@given(NUMBERS, st.lists(NUMBERS, min_size=1, max_size=6), st.floats(1e-6, 1.0))
def test_without_its_slips_it_is_adam(w: float, gradients: list[float], lr: float) -> None:
    p = torch.tensor(w, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.Adam([p], lr=lr)
    V = S = 0.0
    for t, g in enumerate(gradients, 1):
        p.grad = torch.tensor(g, dtype=torch.float64)
        optimizer.step()
        moved = course_adam.move(w, g, 0.0, V, S, t, ADAM, lr)
        w, V, S = moved.weight, moved.state["V"], moved.state["S"]
    assert w == pytest.approx(float(p.detach()), rel=1e-12, abs=1e-12)


def test_what_the_course_s_slips_do_to_training() -> None:
    """Calculated by hand for the first update, and told apart for training."""
    none = course_adam.move(0.5, -4.0, -0.8, 0.0, 0.0, 1, Course())
    assert none.state == {"V": -math.inf, "S": -math.inf}, "divided by 1 − β⁰"
    first = course_adam.move(0.5, -4.0, -0.8, 0.0, 0.0, 1, course_adam.COUNTED)
    assert first.state == pytest.approx({"V": 0.1 * -4.0 / 0.1, "S": 0.001 * -0.8 / 0.001})
    assert math.isnan(first.weight), "the root of a negative number"
    found = dict(course_adam.compared())
    start = found["adam"][0]
    assert found["adam"][-1] < 1e-3
    assert found["from_s"][-1] > start
    assert found["inside"][-1] == found["inside"][50] > start / 2
    assert math.isnan(found["second"][1])
    assert math.isnan(found["made"][1])
    assert math.isnan(found["printed"][1])


@pytest.mark.slow
def test_a_wrong_figure_fails_its_check(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each that is compared with torch, moved by a millionth."""
    for wrong in ("adam", "from_s", "inside", "squared"):
        found = [(way, tuple(f * (1 + 1e-6 * (way == wrong)) for f in all_f)) for way, all_f in compared()]
        with monkeypatch.context() as patch:
            patch.setattr(course_adam, "compared", lambda found=found: found)
            assert [check.holds for check in course_adam.checks(-0.8)].count(False) == 2
