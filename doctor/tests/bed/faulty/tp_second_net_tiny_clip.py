# missed: clip_too_small @ 41
# needs: torch>=2.3
# mend: 41 →         nn.utils.clip_grad_norm_(student.parameters(), 2.0)
"""Teacher-student under autocast, one GradScaler, teacher frozen by hand."""

import copy

import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)
centers = torch.randn(4, 12) * 1.5
y = torch.randint(0, 4, (900,))
x = centers[y] + torch.randn(900, 12)
teacher = nn.Sequential(nn.Linear(12, 64), nn.ReLU(), nn.Linear(64, 4))
opt = torch.optim.Adam(teacher.parameters(), lr=3e-3)
for rows in torch.randperm(700).repeat(4).split(50):
    opt.zero_grad()
    F.cross_entropy(teacher(x[rows]), y[rows]).backward()
    opt.step()
teacher.requires_grad_(False).eval()

student = nn.Sequential(nn.Linear(12, 10), nn.ReLU(), nn.Dropout(0.1), nn.Linear(10, 4))
average = copy.deepcopy(student).eval().requires_grad_(False)
opt = torch.optim.SGD(student.parameters(), lr=0.1, momentum=0.9)
scaler = torch.amp.GradScaler("cpu", init_scale=1024.0)
T = 3.0
for epoch in range(4):
    student.train()
    for rows in torch.randperm(700).split(70):
        opt.zero_grad()
        with torch.autocast("cpu", dtype=torch.bfloat16):
            logits, guide = student(x[rows]), teacher(x[rows])
        soft = F.kl_div(
            F.log_softmax(logits.float() / T, 1), F.softmax(guide.float() / T, 1), reduction="batchmean"
        )
        loss = 0.5 * T * T * soft + 0.5 * F.cross_entropy(logits.float(), y[rows])
        scaler.scale(loss).backward()
        scaler.unscale_(opt)
        nn.utils.clip_grad_norm_(student.parameters(), 0.0002)
        scaler.step(opt)
        scaler.update()
        with torch.no_grad():
            for a, s in zip(average.parameters(), student.parameters(), strict=False):
                a.lerp_(s, 0.05)
    with torch.inference_mode():
        acc = (average(x[700:]).argmax(1) == y[700:]).float().mean().item()
    print(f"{epoch} {loss.item():.4f} {acc:.3f}")
