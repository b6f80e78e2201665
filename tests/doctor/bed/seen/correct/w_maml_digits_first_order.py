# expect: nothing
"""First-order MAML on digits: three classes an episode, named 0 to 2 anew; adapted by hand, tested on two held-out
pools of classes again and again.
"""

import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch import nn
from torch.func import functional_call

torch.manual_seed(1)
digits = load_digits()
x = torch.tensor(digits.data / 16.0, dtype=torch.float32)
y = torch.tensor(digits.target)


def episode(classes, shots=5, queries=7):
    chosen = [classes[i] for i in torch.randperm(len(classes))[:3]]
    support, query = [], []
    for name, kind in enumerate(chosen):
        rows = (y == kind).nonzero().squeeze(1)
        rows = rows[torch.randperm(len(rows))[: shots + queries]]
        support += [(int(r), name) for r in rows[:shots]]
        query += [(int(r), name) for r in rows[shots:]]
    draw = torch.randperm(len(query))[: 15 + int(torch.randint(5, ()))]
    query = [query[i] for i in draw]
    rows_s, names_s = map(torch.tensor, zip(*support))
    rows_q, names_q = map(torch.tensor, zip(*query))
    return x[rows_s], names_s, x[rows_q], names_q


def adapt(net, xs, ys, steps, rate):
    weights = dict(net.named_parameters())
    for _ in range(steps):
        loss = F.cross_entropy(functional_call(net, weights, (xs,)), ys)
        grads = torch.autograd.grad(loss, list(weights.values()), create_graph=False)
        weights = {k: w - rate * g for (k, w), g in zip(weights.items(), grads)}
    return weights


net = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 3))
optimizer = torch.optim.Adam(net.parameters(), lr=2e-3)
for update in range(60):
    optimizer.zero_grad()
    for _ in range(4):
        xs, ys, xq, yq = episode([0, 1, 2, 3, 4, 5])
        weights = adapt(net, xs, ys, steps=3, rate=0.4)
        (F.cross_entropy(functional_call(net, weights, (xq,)), yq) / 4).backward()
    optimizer.step()

right, test_classes = [], [6, 7, 8, 9]
for _ in range(80):
    xs, ys, xq, yq = episode(test_classes)
    weights = adapt(net, xs, ys, steps=5, rate=0.4)
    with torch.no_grad():
        test_logits = functional_call(net, weights, (xq,))
    right.append((test_logits.argmax(1) == yq).float().mean())
print(f"test episodes: {torch.stack(right).mean():.3f}")
