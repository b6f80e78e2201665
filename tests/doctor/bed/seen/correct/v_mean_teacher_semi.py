# expect: nothing
"""Semi-supervised mean teacher: few labels, consistency with an exponential average of the student."""
import copy

import torch
import torch.nn.functional as F
from sklearn.datasets import make_moons
from torch import nn

torch.manual_seed(1)
x, y = make_moons(1200, noise=0.1, random_state=0)
x, y = torch.tensor(x, dtype=torch.float32), torch.tensor(y)
labelled = torch.cat([(y[:900] == k).nonzero().flatten()[:15] for k in (0, 1)])
student = nn.Sequential(nn.Linear(2, 64), nn.ReLU(), nn.Dropout(0.1), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 2))
teacher = copy.deepcopy(student)
for p in teacher.parameters():
    p.requires_grad_(False)
opt = torch.optim.Adam(student.parameters(), lr=3e-3)


def jitter(v):
    return v + 0.05 * torch.randn_like(v)


@torch.no_grad()
def ema_update(alpha):
    for t, s in zip(teacher.parameters(), student.parameters()):
        t.mul_(alpha).add_(s, alpha=1 - alpha)


step = 0
for epoch in range(25):
    student.train()
    teacher.train()
    weight = min(1.0, epoch / 10)
    for idx in torch.randperm(900).split(90):
        sup = F.cross_entropy(student(jitter(x[labelled])), y[labelled])
        with torch.no_grad():
            goal = teacher(jitter(x[idx])).softmax(1)
        cons = F.mse_loss(student(jitter(x[idx])).softmax(1), goal)
        loss = sup + weight * cons
        opt.zero_grad()
        loss.backward()
        opt.step()
        step += 1
        ema_update(min(0.98, 1 - 1 / step))

for net, name in ((student, "student"), (teacher, "teacher")):
    net.eval()
    with torch.no_grad():
        print(name, f"accuracy {(net(x[900:]).argmax(1) == y[900:]).float().mean().item():.3f}")
