# expect: nothing
# mends: zero_grad_of_the_wrong_net.py
"""Distillation: a small student learns from a trained teacher."""

import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch import nn

torch.manual_seed(2)
X, y = load_digits(return_X_y=True)
X, y = torch.tensor(X / 16, dtype=torch.float32), torch.tensor(y)


def mlp(width):
    return nn.Sequential(nn.Linear(64, width), nn.ReLU(), nn.Linear(width, 10))


teacher, student = mlp(128), mlp(16)
opt_t = torch.optim.Adam(teacher.parameters(), lr=5e-3)
for _ in range(40):
    opt_t.zero_grad()
    F.cross_entropy(teacher(X), y).backward()
    opt_t.step()
teacher.eval()

opt_s = torch.optim.Adam(student.parameters(), lr=5e-3)
tau = 3.0
for step in range(60):
    idx = torch.randperm(len(X))[:256]
    with torch.no_grad():
        soft = F.softmax(teacher(X[idx]) / tau, dim=-1)
    logits = student(X[idx])
    kd = F.kl_div(F.log_softmax(logits / tau, dim=-1), soft, reduction="batchmean") * tau**2
    loss = 0.7 * kd + 0.3 * F.cross_entropy(logits, y[idx])
    student.zero_grad()
    loss.backward()
    opt_s.step()
    if step % 20 == 0:
        print(f"step {step} loss {loss.item():.4f}")
