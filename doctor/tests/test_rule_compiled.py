"""Compiled nets and functions under the record: they are compiled once, and come to the same numbers."""

import pytest
import torch

from examination import examined_with_values
from treino_doctor.record.log import Backward, Forward

SCRIPT = """
import torch, torch.nn.functional as F
from torch import nn
torch.manual_seed(0)
x, y = torch.randn(256, 8), torch.randint(0, 3, (256,))
net = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.BatchNorm1d(16), nn.Dropout(0.1), nn.Linear(16, 3))
graphs = []
def backend(graph, inputs):
    graphs.append(graph)
    return graph.forward
{compiled}
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for epoch in range(15):
    net.train()
    for rows in torch.randperm(256).split(64):
        optimizer.zero_grad()
        loss = F.cross_entropy(fast(x[rows]), y[rows])
        loss.backward()
        optimizer.step()
    net.eval()
    with torch.no_grad():
        right = (fast(x).argmax(1) == y).float().mean().item()
weights = [p.detach().clone() for p in net.parameters()]
"""
WAYS = {
    "a net": "fast = torch.compile(net, backend=backend)",
    "a net in place": "net.compile(backend=backend); fast = net",
    "a function": "@torch.compile(backend=backend, fullgraph=True)\ndef fast(x): return net(x).mul(2)",
}


@pytest.mark.slow
@pytest.mark.parametrize("way", WAYS)
def test_what_is_compiled_is_left_alone(way, tmp_path):
    source = SCRIPT.replace("{compiled}", WAYS[way])
    plain: dict = {}
    torch._dynamo.reset()
    exec(compile(source, "plain.py", "exec"), plain)
    torch._dynamo.reset()
    findings, log, watched = examined_with_values(source, tmp_path)
    assert len(watched["graphs"]) == len(plain["graphs"])
    assert all(torch.equal(a, b) for a, b in zip(watched["weights"], plain["weights"], strict=True))
    assert watched["right"] == plain["right"]
    assert findings == []
    assert all(len(b.forwards) == (way != "a function") for b in log.of(Backward))
    assert way == "a function" or any(not f.grad for f in log.of(Forward))
