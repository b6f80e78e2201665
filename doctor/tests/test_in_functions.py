"""Trainings whose function has returned, and their tensors with it; calls in their less usual forms."""

import textwrap
from collections import Counter

import pytest
import torch
from torch import nn

from treino_doctor.exam import Exam
from treino_doctor.record.log import Forward, NetMade
from written import program
from zygote import findings_in, marked

FOUND = {
    "lr_too_low": """
        w = nn.Linear(8, 3)
        for step in range(200):
            given = torch.autograd.grad(F.cross_entropy(w(x), y), list(w.parameters()))
            with torch.no_grad():
                for p, g in zip(w.parameters(), given):
                    p -= 1e-6 * g
        """,
    "detached_graph": """
        code, out = nn.Linear(8, 6), nn.Linear(6, 3)
        optimizer = torch.optim.AdamW([*code.parameters(), *out.parameters()], lr=0.01)
        40 STEPS: F.cross_entropy(out(torch.sign(code(x))), y)
        """,
    "missing_zero_grad": """
        net = nn.Linear(8, 3)
        optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
        for step in range(20):
            torch.autograd.backward(F.cross_entropy(net(x), y))
            optimizer.step()
        """,
    "grad_cleared_before_step": """
        net = nn.Linear(8, 3)
        optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
        for turn in range(10):
            for i, rows in enumerate(torch.arange(240).split(60)):
                optimizer.zero_grad(set_to_none=False)
                F.cross_entropy(net(x[rows]), y[rows]).backward()
                if i == 3:
                    optimizer.step()
        """,
}
RIGHT = {
    "one step by hand for sixty small batches": """
        w = torch.zeros(8, 3, requires_grad=True)
        for turn in range(2):
            for rows in torch.arange(240).split(4):
                (F.cross_entropy(x[rows] @ w, y[rows]) / 60).backward()
            with torch.no_grad():
                w -= 0.5 * w.grad
            w.grad.zero_()
        """,
    "batches that are read four ahead": """
        rows = torch.utils.data.TensorDataset(x, (x[:, 0] > 0).float())
        loader = torch.utils.data.DataLoader(rows, 8, shuffle=True)
        net = nn.Sequential(nn.Linear(8, 16), nn.LayerNorm(16), nn.GELU(), nn.Linear(16, 1))
        optimizer = torch.optim.AdamW(net.parameters(), lr=0.01)
        for epoch in range(12):
            group = []
            for batch in loader:
                group.append(batch)
                if len(group) < 4:
                    continue
                for part, said in group:
                    with torch.autocast("cpu", dtype=torch.bfloat16):
                        answer = net(part).squeeze(-1)
                    one = F.binary_cross_entropy_with_logits(answer.float(), said, reduction="sum")
                    (one / 32).backward()
                optimizer.step()
                optimizer.zero_grad()
                group = []
        """,
    "a layer that stays as it was drawn, in a net whose forward is called directly": """
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.drawn, self.readout = nn.Linear(8, 64), nn.Linear(64, 3)

            def forward(self, x):
                return self.readout(torch.cos(self.drawn(x)))

        net = Net()
        optimizer = torch.optim.Adam(net.readout.parameters(), lr=0.05)
        60 STEPS: F.cross_entropy(net.forward(x), y)
        """,
}


CASES = {**{rule: ({rule}, body) for rule, body in FOUND.items()}, **{k: (set(), RIGHT[k]) for k in RIGHT}}


@pytest.mark.parametrize(("rules", "body"), CASES.values(), ids=CASES)
def test_a_training_in_a_function_that_has_returned_is_judged_as_any(rules, body, tmp_path):
    text = f"\ndef main():{textwrap.indent(program(body), '    ')}\n\nmain()\n"
    assert {rule for rule, _ in findings_in(text, tmp_path)} == rules


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
