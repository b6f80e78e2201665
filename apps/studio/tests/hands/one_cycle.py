"""Super-convergence on a toy problem: one cycle of the learning rate, gradients clipped."""

import torch
from torch import nn

EPOCHS, BATCH = 3, 12
g = torch.Generator().manual_seed(7)
X = torch.rand(144, 6, generator=g)
Y = torch.sin(X.sum(1, keepdim=True))
model = nn.Sequential(nn.Linear(6, 24), nn.Tanh(), nn.Linear(24, 1))
opt = torch.optim.AdamW(model.parameters(), lr=1e-3)
sched = torch.optim.lr_scheduler.OneCycleLR(opt, max_lr=0.02, total_steps=EPOCHS * len(X) // BATCH)
for epoch in range(EPOCHS):
    order = torch.randperm(len(X), generator=g)
    for batch in order.split(BATCH):
        loss = nn.functional.smooth_l1_loss(model(X[batch]), Y[batch])
        opt.zero_grad(set_to_none=True)
        loss.backward()
        norm = nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        opt.step()
        sched.step()
        print(epoch, f"{loss:.7f} {norm:.5f} {opt.param_groups[0]['lr']:.6f} {opt.param_groups[0]['betas']}")
