# expect: nothing
# looks suspicious: softmax outputs in a cross-entropy by hand, the last layer's gradients deleted between
# backward and step (as this method does in its first epoch), and a teacher that no optimizer moves.
import copy
import math

import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch import nn


class Head(nn.Module):
    def __init__(self, dim, out):
        super().__init__()
        self.mlp = nn.Sequential(nn.Linear(dim, 48), nn.GELU(), nn.Linear(48, 16))
        self.last_layer = nn.Linear(16, out, bias=False)

    def forward(self, x):
        return self.last_layer(F.normalize(self.mlp(x), dim=-1))


class DINOLoss(nn.Module):
    def __init__(self, out_dim, teacher_temp=0.04, student_temp=0.1, center_momentum=0.9):
        super().__init__()
        self.teacher_temp, self.student_temp, self.center_momentum = (
            teacher_temp,
            student_temp,
            center_momentum,
        )
        self.register_buffer("center", torch.zeros(1, out_dim))

    def forward(self, student_out, teacher_out):
        student_views = (student_out / self.student_temp).chunk(2)
        teacher_views = F.softmax((teacher_out - self.center) / self.teacher_temp, dim=-1).detach().chunk(2)
        terms = [
            torch.sum(-q * F.log_softmax(student_views[v], dim=-1), dim=-1).mean()
            for iq, q in enumerate(teacher_views)
            for v in range(2)
            if v != iq
        ]
        with torch.no_grad():
            batch_center = teacher_out.mean(0, keepdim=True)
            self.center.mul_(self.center_momentum).add_(batch_center, alpha=1 - self.center_momentum)
        return sum(terms) / len(terms)


torch.manual_seed(0)
images = torch.tensor(load_digits().data, dtype=torch.float32) / 16
student = nn.Sequential(nn.Linear(64, 64), nn.GELU(), Head(64, 32))
teacher = copy.deepcopy(student)
for p in teacher.parameters():
    p.requires_grad = False
dino_loss = DINOLoss(32)
with torch.no_grad():
    dino_loss.center.copy_(teacher(images).mean(0, keepdim=True))
optimizer = torch.optim.AdamW(student.parameters(), lr=3e-3, weight_decay=0.04)
epochs, niter = 4, len(images) // 128
for epoch in range(epochs):
    total = 0.0
    for it, rows in enumerate(torch.randperm(len(images))[: niter * 128].split(128)):
        progress = (epoch * niter + it) / (epochs * niter)
        optimizer.param_groups[0]["weight_decay"] = 0.4 + 0.5 * (0.04 - 0.4) * (
            1 + math.cos(math.pi * progress)
        )
        x = torch.cat([images[rows] + 0.1 * torch.randn(128, 64), images[rows] + 0.1 * torch.randn(128, 64)])
        loss = dino_loss(student(x), teacher(x))
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(student.parameters(), 3.0)
        if epoch < 1:
            for name, p in student.named_parameters():
                if "last_layer" in name:
                    p.grad = None
        optimizer.step()
        with torch.no_grad():
            for ps, pt in zip(student.parameters(), teacher.parameters(), strict=True):
                pt.mul_(0.97).add_(ps.detach(), alpha=0.03)
        total += loss.item()
    print(f"epoch {epoch} loss {total / niter:.4f}")
