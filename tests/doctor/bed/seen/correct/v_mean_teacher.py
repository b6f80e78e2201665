# expect: nothing
"""Mean teacher with few labels on two moons; the teacher is never optimized."""
import copy

import torch
from torch import nn
from sklearn.datasets import make_moons

torch.manual_seed(7)


def moons(n, seed):
    X, y = make_moons(n, noise=0.12, random_state=seed)
    return (torch.tensor(X, dtype=torch.float32) - torch.tensor([0.5, 0.25])) / 0.7, torch.tensor(y)


X, y = moons(1000, 0)
Xt, yt = moons(500, 1)
labelled = torch.arange(30)

student = nn.Sequential(nn.Linear(2, 48), nn.ReLU(), nn.Linear(48, 48), nn.ReLU(), nn.Linear(48, 2))
teacher = copy.deepcopy(student).requires_grad_(False)
opt = torch.optim.Adam(student.parameters(), lr=5e-3)


@torch.no_grad()
def update_teacher(alpha=0.98):
    for t, s in zip(teacher.parameters(), student.parameters()):
        t.lerp_(s, 1 - alpha)


for step in range(400):
    idx = torch.randint(0, len(X), (100,))
    noisy = X[idx] + 0.1 * torch.randn(100, 2)
    with torch.no_grad():
        target = teacher(X[idx] + 0.1 * torch.randn(100, 2)).softmax(-1)
    consistency = (student(noisy).softmax(-1) - target).pow(2).sum(-1).mean()
    supervised = nn.functional.cross_entropy(student(X[labelled]), y[labelled])
    loss = supervised + min(1.0, step / 150) * 2.0 * consistency
    opt.zero_grad()
    loss.backward()
    opt.step()
    update_teacher()
    if step % 100 == 99:
        print(f"step {step + 1} sup {supervised.item():.4f} cons {consistency.item():.4f}")

teacher.eval()
with torch.no_grad():
    print("teacher accuracy", (teacher(Xt).argmax(1) == yt).float().mean().item())
