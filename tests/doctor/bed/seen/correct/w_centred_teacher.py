# expect: nothing
"""Self-distillation without labels: the teacher, which follows, stays in training mode and is centred."""
import copy

import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(3)
x = 2 * torch.randn(5, 16)[torch.arange(500) % 5] + torch.randn(500, 16)
student = nn.Sequential(nn.Linear(16, 64), nn.BatchNorm1d(64), nn.GELU(), nn.Dropout(0.1), nn.Linear(64, 12))
teacher = copy.deepcopy(student).requires_grad_(False)
opt = torch.optim.AdamW(student.parameters(), lr=1e-3)
centre = torch.zeros(12)
for step in range(120):
    rows = x[torch.randint(0, 500, (64,))]
    one, two = rows + 0.2 * torch.randn_like(rows), rows + 0.2 * torch.randn_like(rows)
    with torch.no_grad():
        out = teacher(one)
        goal = ((out - centre) / 0.05).softmax(1)
        centre = 0.9 * centre + 0.1 * out.mean(0)
        share = out.argmax(1).bincount(minlength=12).max().item() / 64
    loss = -(goal * F.log_softmax(student(two) / 0.1, 1)).sum(1).mean()
    opt.zero_grad()
    loss.backward()
    opt.step()
    with torch.no_grad():
        for a, b in zip(teacher.parameters(), student.parameters()):
            a.lerp_(b, 0.02)
    if step % 30 == 0:
        print(step, loss.item(), share)
