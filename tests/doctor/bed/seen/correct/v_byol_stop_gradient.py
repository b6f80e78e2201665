# expect: nothing
"""BYOL-style representation learning with a stop-gradient target network, then a linear probe."""
import copy

import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(7)
centres = torch.randn(5, 20) * 1.2
y = torch.randint(0, 5, (1000,))
x = centres[y] + torch.randn(1000, 20)
online = nn.Sequential(nn.Linear(20, 64), nn.BatchNorm1d(64), nn.ReLU(), nn.Linear(64, 24))
predictor = nn.Sequential(nn.Linear(24, 48), nn.ReLU(), nn.Linear(48, 24))
target = copy.deepcopy(online)
target.requires_grad_(False)
opt = torch.optim.Adam([*online.parameters(), *predictor.parameters()], lr=2e-3)


def augment(v):
    return v * (torch.rand_like(v) > 0.2) + 0.3 * torch.randn_like(v)


def half(a, b):
    with torch.no_grad():
        goal = target(b)
    return 2 - 2 * F.cosine_similarity(predictor(online(a)), goal, dim=1).mean()


for epoch in range(15):
    for net in (online, predictor, target):
        net.train()
    total = 0.0
    for idx in torch.randperm(800).split(80):
        a, b = augment(x[idx]), augment(x[idx])
        loss = half(a, b) + half(b, a)
        opt.zero_grad()
        loss.backward()
        opt.step()
        with torch.no_grad():
            for t, o in zip(target.parameters(), online.parameters()):
                t.lerp_(o, 0.03)
        total += loss.item()
    if epoch % 5 == 4:
        print(f"epoch {epoch} loss {total / 10:.4f}")

online.eval()
with torch.no_grad():
    h = online(x)
probe = nn.Linear(24, 5)
probe_opt = torch.optim.Adam(probe.parameters(), lr=0.03)
for _ in range(120):
    probe_opt.zero_grad()
    F.cross_entropy(probe(h[:800]), y[:800]).backward()
    probe_opt.step()
with torch.no_grad():
    print(f"probe accuracy {(probe(h[800:]).argmax(1) == y[800:]).float().mean().item():.3f}")
