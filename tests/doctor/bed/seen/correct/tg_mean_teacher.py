# expect: nothing
"""Mean teacher on digits: sixty labels a class are plenty; the teacher is an EMA of the student."""
import copy

import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn

torch.manual_seed(19)
X, y = load_digits(return_X_y=True)
X, y = torch.tensor(X / 16.0, dtype=torch.float32), torch.tensor(y)
tr, te = train_test_split(torch.arange(len(X)), test_size=0.25, stratify=y, random_state=19)
lab, unlab = train_test_split(tr, train_size=600, stratify=y[tr], random_state=19)

student = nn.Sequential(nn.Linear(64, 96), nn.ReLU(), nn.Dropout(0.1), nn.Linear(96, 10))
teacher = copy.deepcopy(student).requires_grad_(False).eval()
opt = torch.optim.AdamW(student.parameters(), lr=3e-3)


@torch.no_grad()
def ema(decay=0.97):
    for t, s in zip(teacher.parameters(), student.parameters()):
        t.lerp_(s, 1 - decay)


def jitter(x):
    return x + 0.05 * torch.randn_like(x)


for epoch in range(25):
    student.train()
    weight = min(1.0, epoch / 10)
    for idx in torch.randperm(len(lab)).split(50):
        free = X[unlab[torch.randint(len(unlab), (100,))]]
        with torch.no_grad():
            wanted = teacher(jitter(free)).softmax(dim=1)
        consistency = F.mse_loss(student(jitter(free)).softmax(dim=1), wanted)
        loss = F.cross_entropy(student(jitter(X[lab[idx]])), y[lab[idx]]) + weight * consistency
        opt.zero_grad()
        loss.backward()
        opt.step()
        ema()
    if epoch % 5 == 4:
        print(f"epoch {epoch + 1}: loss {loss.item():.4f}")

with torch.no_grad():
    print(f"teacher's test accuracy {(teacher(X[te]).argmax(1) == y[te]).float().mean():.3f}")
