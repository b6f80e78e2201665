"""The mode that tells which line made a node: gone in time, and no trace in results or warnings."""

import warnings

import pytest
import torch
from torch import nn
from torch._C import _len_torch_function_stack

from treino.diagnosis.exam import Exam


def trained(steps: int = 5) -> tuple[torch.Tensor, list[int]]:
    """A frozen encoder with a fast path, and a head on its features; and how many modes were on."""
    torch.manual_seed(0)
    encoder = nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 16, batch_first=True), 1).eval()
    head, x = nn.Linear(8, 1), torch.randn(6, 5, 8)
    opt, on = torch.optim.SGD(head.parameters(), lr=0.1), []
    for _ in range(steps):
        with torch.no_grad():
            h = encoder(x).mean(1)
        opt.zero_grad()
        head(h).pow(2).mean().backward()
        opt.step()
        on.append(_len_torch_function_stack())
    return torch.cat([h.flatten(), head.weight.flatten()]), on


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*nested tensors")
def test_the_mode_is_on_for_two_steps_and_changes_no_bit():
    plain, off = trained()
    with Exam() as exam:
        watched, on = trained()
    assert torch.equal(plain, watched)
    assert exam.defects == []
    assert off == [0] * 5
    assert on == [1, 0, 0, 0, 0]


def test_a_backward_that_is_called_as_a_function_runs_as_ever():
    net, on = nn.Linear(2, 1), []
    with Exam() as exam:
        optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
        for _ in range(5):
            optimizer.zero_grad()
            torch.autograd.backward([net(torch.ones(3, 2)).sum()])
            optimizer.step()
            on.append(_len_torch_function_stack())
    assert exam.defects == []
    assert on == [1, 0, 0, 0, 0]
    assert torch.equal(net.weight.grad, torch.full((1, 2), 3.0))


def test_a_device_of_the_script_around_and_inside_is_left_as_it_was():
    with Exam():
        with torch.device("cpu"):
            net = nn.Linear(2, 1)
            opt = torch.optim.SGD(net.parameters(), lr=0.1)
            assert _len_torch_function_stack() == 1
            net(torch.ones(1, 2)).sum().backward()
        assert _len_torch_function_stack() == 0
        torch.optim.SGD(net.parameters(), lr=0.1)
        with torch.device("cpu"):
            assert _len_torch_function_stack() == 2
            opt.step()
        assert _len_torch_function_stack() <= 1
    assert _len_torch_function_stack() == 0


def test_a_warning_names_the_line_that_it_would_have_named():
    def places(exam: bool) -> list[tuple[str, int]]:
        x = torch.ones(2, 3, requires_grad=True)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            with Exam() if exam else warnings.catch_warnings():
                torch.optim.SGD([x], lr=0.1)
                nn.functional.softmax(x)
        return [(w.filename, w.lineno) for w in caught]

    assert places(True) == places(False) != []
