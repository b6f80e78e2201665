# expect: nothing
# mends: z_kl_with_one_hot.py
"""Knowledge distillation with a KL written by hand; the teacher is sometimes quite sure."""

import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)
means = torch.randn(4, 10) * 2.5
cls = torch.randint(0, 4, (600,))
points = means[cls] + torch.randn(600, 10)
# the teacher's table: soft for the doubtful rows, one-hot for the rest
distance = torch.cdist(points, means)
soft = F.softmax(-distance, dim=1)
sure = (distance.min(1).values < 3.0)[:, None]
teacher = torch.where(sure, F.one_hot(cls, 4).float(), soft)

student = nn.Sequential(nn.Linear(10, 32), nn.ReLU(), nn.Linear(32, 4))
optimizer = torch.optim.Adam(student.parameters(), lr=0.005)


def kl(target, logits):
    log_q = F.log_softmax(logits, dim=1)
    return F.kl_div(log_q, target, reduction="batchmean")


for epoch in range(4):
    for rows in torch.randperm(480).split(48):
        optimizer.zero_grad()
        loss = kl(teacher[rows], student(points[rows]))
        loss.backward()
        optimizer.step()
    with torch.no_grad():
        agree = (student(points[480:]).argmax(1) == cls[480:]).float().mean()
    print(f"epoch {epoch} loss {loss.item():.4f} accuracy {agree.item():.3f}")
