# expect: grad_cleared_before_step @ 38
# mend: 31 +         optimizer.zero_grad(set_to_none=True)
# mend: 38 →
"""Mixed precision on the CPU: the scaler's usual dance, with one step out of place."""

import argparse

import torch
from torch import nn

parser = argparse.ArgumentParser()
parser.add_argument("--epochs", type=int, default=4)
parser.add_argument("--lr", type=float, default=3e-3)
args = parser.parse_args()

torch.manual_seed(0)
centers = torch.randn(5, 20) * 2
labels = torch.randint(0, 5, (1200,))
images = centers[labels] + torch.randn(1200, 20)

model = nn.Sequential(nn.Linear(20, 64), nn.GELU(), nn.Linear(64, 5))
optimizer = torch.optim.AdamW(model.parameters(), lr=args.lr)
scaler = torch.amp.GradScaler("cpu", init_scale=256.0)
loss_fn = nn.CrossEntropyLoss()


def train_one_epoch():
    model.train()
    perm = torch.randperm(1000)
    for i in range(0, 1000, 100):
        idx = perm[i : i + 100]
        with torch.autocast("cpu", dtype=torch.bfloat16):
            logits = model(images[idx])
            loss = loss_fn(logits, labels[idx])
        scaler.scale(loss).backward()
        scaler.unscale_(optimizer)
        torch.nn.utils.clip_grad_norm_(model.parameters(), 5.0)
        optimizer.zero_grad(set_to_none=False)
        scaler.step(optimizer)
        scaler.update()
    return loss.item()


for epoch in range(args.epochs):
    last = train_one_epoch()
    model.eval()
    with torch.inference_mode():
        hits = (model(images[1000:]).argmax(-1) == labels[1000:]).float().mean().item()
    print(f"epoch {epoch} loss {last:.3f} acc {hits:.3f}")
