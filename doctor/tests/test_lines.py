"""The mode that sees torch's functions: gone in time, and no trace in results or warnings."""

import sys
import warnings
from contextlib import nullcontext

import numpy as np
import pytest
import torch
import torch.fx
from torch import nn
from torch._C import _len_torch_function_stack

from treino_doctor.exam import Exam
from treino_doctor.record.windows import FIRST

there = hasattr(torch, "set_default_device")
with_devices = pytest.mark.skipif(not there, reason="this torch has no default device")


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


@pytest.mark.filterwarnings("ignore:.*nested tensors")
def test_the_mode_is_off_between_windows_and_changes_no_bit():
    plain, off = trained(FIRST + 5)
    with Exam() as exam:
        watched, on = trained(FIRST + 5)
    assert torch.equal(plain, watched)
    assert exam.defects == []
    assert off == [0] * len(on)
    assert on[: FIRST - 1] == [1] * (FIRST - 1)
    assert on[FIRST:] == [0] * 5


def test_a_backward_that_is_called_as_a_function_runs_as_ever():
    net, on = nn.Linear(2, 1), []
    with Exam() as exam:
        optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
        for _ in range(FIRST + 3):
            optimizer.zero_grad()
            torch.autograd.backward([net(torch.ones(3, 2)).sum()])
            optimizer.step()
            on.append(_len_torch_function_stack())
    assert exam.defects == []
    assert on[0] == 1
    assert on[FIRST:] == [0, 0, 0]
    assert torch.equal(net.weight.grad, torch.full((1, 2), 3.0))


@with_devices
def test_a_device_of_the_script_around_and_inside_is_left_as_it_was():
    net = nn.Linear(2, 1)
    opt = torch.optim.SGD(net.parameters(), lr=0.1)
    with Exam():
        for _ in range(FIRST - 1):
            net(torch.ones(1, 2)).sum().backward()
            opt.step()
        assert _len_torch_function_stack() == 1
        with torch.device("cpu"):
            assert _len_torch_function_stack() == 2
            net(torch.ones(1, 2)).sum().backward()
            opt.step()  # the window ends
            assert _len_torch_function_stack() == 1
        assert _len_torch_function_stack() == 0
    assert _len_torch_function_stack() == 0


@with_devices
@pytest.mark.parametrize("first", [1, FIRST])
def test_a_window_that_opens_inside_a_device_leaves_it_as_it_was(first):
    net = nn.Linear(2, 1)
    opt = torch.optim.SGD(net.parameters(), lr=0.1)
    with Exam():
        for _ in range(first):
            net(torch.ones(1, 2)).sum().backward()
            opt.step()
        with torch.device("meta"):
            for _ in range(3 * FIRST):
                net(torch.ones(1, 2, device="cpu")).sum().backward()
                opt.step()
            assert torch.ones(1).is_meta
        assert not torch.ones(1).is_meta


@with_devices
def test_a_default_device_comes_and_goes_as_ever():
    exam = Exam().start()
    torch.set_default_device("meta")
    assert torch.ones(1).is_meta
    exam.stop()
    assert torch.ones(1).is_meta
    exam = Exam().start()
    assert torch.ones(1).is_meta
    torch.set_default_device(None)
    assert not torch.ones(1).is_meta
    exam.stop()
    assert _len_torch_function_stack() == 0


def softmax(x):
    return nn.functional.softmax(x)


def copied(x):
    return torch.tensor(x.detach())


def stretched(x):
    return nn.functional.mse_loss(x, x[:, :1])


@pytest.mark.parametrize("action", ["always", "default", "once"])
@pytest.mark.parametrize("call", [softmax, copied, stretched])
def test_a_warning_names_the_line_that_it_would_have_named(call, action):
    def places(exam: bool) -> list[tuple[str, int]]:
        x = torch.ones(2, 3, requires_grad=True)
        for module in (torch.nn.functional, torch.nn.modules.loss, sys.modules[__name__]):
            vars(module).pop("__warningregistry__", None)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter(action)
            with Exam() if exam else nullcontext():
                torch.optim.SGD([x], lr=0.1)
                call(x)
        return [(w.filename, w.lineno) for w in caught]

    assert places(True) == places(False) != []


def test_a_part_of_a_table_that_is_only_read_warns_of_nothing():
    rows = np.ones((60, 2))
    rows.flags.writeable = False  # as pandas gives it
    torch.set_warn_always(True)
    with warnings.catch_warnings(record=True) as caught, Exam():
        warnings.simplefilter("always")
        torch.tensor(rows[:40])
    torch.set_warn_always(False)
    assert caught == []


@pytest.mark.parametrize("steps", [1, FIRST + 2])  # inside of a window, and between two
def test_a_net_is_traced_and_its_weights_are_swapped_as_ever(steps):
    net = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 1))
    plain = torch.fx.symbolic_trace(net).code
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    with Exam() as exam:
        for _ in range(steps):
            net(torch.ones(2, 3)).sum().backward()
            optimizer.step()
        assert torch.fx.symbolic_trace(net).code == plain
        if hasattr(torch.utils, "swap_tensors"):
            torch.utils.swap_tensors(net[0].weight, nn.Parameter(torch.zeros(4, 3)))
            assert not net[0].weight.any()
    assert exam.defects == []
