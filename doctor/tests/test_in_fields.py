"""Whatever a net's answers come in, the doctor says the same of its script."""

import pytest

from in_fields import WAYS, answers_in
from rewriting import rewritten
from same_findings import differences, faulty_ones, right_ones
from test_rewriting import printed

ONE_IN = 6  # rules for each way
RIGHT = 2  # right scripts for each way
SCRIPT = """\
import torch
from torch import nn

torch.manual_seed(3)
x, y = torch.randn(60, 4), torch.arange(60) % 2
net = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2))
optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
for step in range(5):
    net.train()
    optimizer.zero_grad()
    loss = nn.functional.cross_entropy(net(x), y)
    loss.backward()
    optimizer.step()
net.eval()
print(round(loss.item(), 4), net(x).argmax(1).tolist())
"""


@pytest.mark.parametrize("way", WAYS)
def test_a_net_in_another_means_the_same(way):
    made = rewritten(SCRIPT, answers_in(way))
    assert made is not None
    assert "Answering(net)" in made[0]
    assert printed(made[0]) == printed(SCRIPT)


@pytest.mark.slow
@pytest.mark.sampled(4)
@pytest.mark.parametrize("way", WAYS)
def test_the_doctor_says_the_same_whatever_answers_come_in(way, tmp_path):
    rewrite = answers_in(way)
    every = [*faulty_ones(way, rewrite, ONE_IN), *right_ones(way, rewrite, RIGHT)]
    assert len(every) > RIGHT
    assert differences(every, rewrite, tmp_path) == []
