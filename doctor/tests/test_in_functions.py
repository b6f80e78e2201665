"""Trainings whose function has returned, and their tensors with it; calls in their less usual forms."""

import textwrap
from collections import Counter

import pytest
import torch
from torch import nn

from treino_doctor.exam import Exam
from treino_doctor.record.log import Forward, NetMade
from treino_doctor.rules import rules
from written import parts, program
from zygote import findings_in, marked

CASES = {what: ({what} & {*rules()}, body) for what, body in parts("in_functions.txt").items()}


@pytest.mark.parametrize(("told", "body"), CASES.values(), ids=CASES)
def test_a_training_in_a_function_that_has_returned_is_judged_as_any(told, body, tmp_path):
    text = f"\ndef main():\n{textwrap.indent(program(body), '    ')}\n\nmain()\n"
    assert {rule for rule, _ in findings_in(text, tmp_path)} == told


class Twice(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.inner = nn.Linear(4, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return 2 * self.inner(x)


def test_a_forward_that_is_called_directly_is_one_call_of_its_layer_and_runs_no_hook():
    plain, hooks = Twice.forward, []
    with Exam() as exam:
        net = Twice()
        net.register_forward_hook(lambda *args: hooks.append(args))
        optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
        for _ in range(5):
            optimizer.zero_grad()
            net.forward(torch.ones(6, 4)).pow(2).mean().backward()
            optimizer.step()
        net(torch.ones(6, 4))
    assert exam.defects == []
    assert [made.kind for made in exam.log.of(NetMade)] == ["Linear", "Twice"]  # forward itself is no call
    assert list(Counter(call.site for call in exam.log.of(Forward)).values()) == [5, 1]
    assert len(hooks) == 1
    assert Twice.forward is plain


@pytest.mark.parametrize("part", [".head", "[2]"])
def test_a_layer_that_a_helper_puts_in_is_told_where_it_is_called(part, tmp_path):
    text = f"""
class Net(nn.Sequential):
    def __init__(self):
        super().__init__(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 16))
        self.bend = nn.ReLU()
        self.head = nn.Linear(16, 3)

def renew(net):
    net{part} = nn.Linear(16, {16 if part == "[2]" else 3})

net = Net()
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
renew(net)  # here
20 STEPS: F.cross_entropy(net(x), y)
"""
    ((rule, line),) = findings_in(text, tmp_path)
    lines = (tmp_path / "script.py").read_text().splitlines()
    put = next(i for i, one in enumerate(lines, 1) if f"net{part} = " in one)
    assert rule == "params_not_in_optimizer"
    assert line in (put, marked(tmp_path))
