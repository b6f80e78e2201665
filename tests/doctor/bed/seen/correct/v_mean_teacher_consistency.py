# expect: nothing
"""Semi-supervised mean teacher: student kept in train mode, EMA teacher also in train mode for its noise."""
import copy
import torch
import torch.nn.functional as F
from sklearn.datasets import make_moons
from torch import nn


@torch.no_grad()
def ema_update(teacher, student, decay):
    for t, s in zip(teacher.parameters(), student.parameters()):
        t.mul_(decay).add_(s, alpha=1 - decay)


def moons(n, seed):
    X, y = make_moons(n, noise=0.12, random_state=seed)
    return torch.tensor(X, dtype=torch.float32), torch.tensor(y)


torch.manual_seed(0)
x, y = moons(800, 0)
xt, yt = moons(400, 1)
labelled = torch.randperm(800)[:60]
student = nn.Sequential(nn.Linear(2, 48), nn.ReLU(), nn.Dropout(0.1), nn.Linear(48, 48), nn.ReLU(), nn.Linear(48, 2))
teacher = copy.deepcopy(student)
for p in teacher.parameters():
    p.requires_grad_(False)
opt = torch.optim.Adam(student.parameters(), lr=4e-3)
step = 0
for epoch in range(25):
    student.train()
    teacher.train()
    for idx in torch.randperm(800).split(80):
        pick = labelled[torch.randint(0, 60, (20,))]
        sup = F.cross_entropy(student(x[pick]), y[pick])
        with torch.no_grad():
            target = F.softmax(teacher(x[idx] + 0.05 * torch.randn(len(idx), 2)), dim=1)
        cons = F.mse_loss(F.softmax(student(x[idx] + 0.05 * torch.randn(len(idx), 2)), dim=1), target)
        loss = sup + min(1.0, step / 100) * cons
        opt.zero_grad()
        loss.backward()
        opt.step()
        step += 1
        ema_update(teacher, student, min(0.99, 1 - 1 / (step + 1)))
teacher.eval()
with torch.no_grad():
    print(f"sup {sup.item():.3f} teacher test accuracy {(teacher(xt).argmax(1) == yt).float().mean():.3f}")
