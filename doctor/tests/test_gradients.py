"""The state of gradients, held against a bookkeeper that knows nothing of objects and versions."""

import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from torch import nn

from treino_doctor.exam import Exam
from treino_doctor.record.log import Stepped

ACTIONS = ["backward", "step", "none", "zero", "data", "clip"]


def oracle(actions: list[str]) -> int:
    """Steps on a gradient that was summed onto one that a step had used; clearing forgets both."""
    used = tainted = alive = False
    events = 0
    for action in actions:
        if action == "backward":
            tainted = tainted or (alive and used)
            alive = True
        elif action == "step":
            events += alive and tainted
            used, tainted = alive, False
        elif action in ("none", "zero", "data"):
            alive = used = tainted = False
    return events


def played(actions: list[str], optimizer: type[torch.optim.Optimizer]) -> int:
    torch.manual_seed(0)
    net, x = nn.Linear(3, 2), torch.randn(5, 3) + 1
    with Exam() as exam:
        opt = optimizer(net.parameters(), lr=1e-3)
        for action in actions:
            if action == "backward":
                (net(x) ** 2).mean().backward()
            elif action == "step":
                opt.step()
            elif action == "clip":
                nn.utils.clip_grad_norm_(net.parameters(), 1e9)
            else:
                for p in net.parameters():
                    if action == "none":
                        p.grad = None
                    elif p.grad is not None:
                        (p.grad if action == "zero" else p.grad.data).zero_()
    return sum(stepped.summed for stepped in exam.log.of(Stepped))


@pytest.mark.slow
@settings(max_examples=60)
@example(["backward", "step", "backward", "none", "step"], torch.optim.SGD)
@given(
    st.lists(st.sampled_from(ACTIONS[:5]), min_size=1, max_size=14),
    st.sampled_from([torch.optim.SGD, torch.optim.Adam]),
)
def test_tainted_steps_are_those_of_the_bookkeeper(actions, optimizer):
    assert played(actions, optimizer) == oracle(actions)


@pytest.mark.skipif(not hasattr(torch, "compile"), reason="torch 1.13 fuses Adam on CUDA only")
def test_fused_adam_and_clipping_hide_nothing():
    turn = ["backward", "clip", "step"]
    assert played(turn * 5, lambda p, lr: torch.optim.Adam(p, lr=lr, fused=True)) == 4


def test_a_closure_that_clears_is_silent_and_one_that_does_not_is_found():
    def run(clears: bool) -> list[str]:
        torch.manual_seed(0)
        net, x = nn.Linear(3, 1), torch.randn(20, 3)
        opt = torch.optim.LBFGS(net.parameters(), lr=0.1, max_iter=4)
        with Exam() as exam:
            for _ in range(4):

                def closure():
                    if clears:
                        opt.zero_grad()
                    loss = (net(x) - x[:, :1]).pow(2).mean()
                    loss.backward()
                    return loss

                opt.step(closure)
        return [f.rule for f in exam.findings]

    assert run(True) == []
    assert run(False) == ["missing_zero_grad"]


def test_weights_and_random_numbers_are_the_same_bit_for_bit():
    def train() -> list[torch.Tensor]:
        torch.manual_seed(3)
        net = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.3), nn.Linear(8, 3))
        opt = torch.optim.AdamW(net.parameters(), lr=1e-2)
        for _ in range(150):
            x = torch.randn(16, 4)
            opt.zero_grad()
            nn.functional.cross_entropy(net(x), x[:, :3].argmax(1)).backward()
            nn.utils.clip_grad_norm_(net.parameters(), 1.0)
            opt.step()
        return [*net.state_dict().values(), torch.get_rng_state()]

    plain = train()
    with Exam() as exam:
        watched = train()
    assert exam.findings == []
    assert exam.defects == []
    assert all(torch.equal(a, b) for a, b in zip(plain, watched, strict=True))


@pytest.mark.parametrize("steps", [20, 130, 300])
def test_gradients_cleared_before_each_step_are_found_however_long_it_trains(steps):
    torch.manual_seed(0)
    net, x = nn.Linear(3, 1), torch.randn(20, 3)
    opt = torch.optim.SGD(net.parameters(), lr=1e-4)
    with Exam() as exam:
        for _ in range(steps):
            (net(x) - 1).pow(2).mean().backward()
            opt.zero_grad()
            opt.step()
    assert [f.rule for f in exam.findings] == ["grad_cleared_before_step"]
