# expect: grad_cleared_before_step @ 33
# allowed: grad_cleared_before_step @ 34
"""Research style train.py: argparse, GradScaler on CPU, cosine schedule, clipped gradients."""
import argparse

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def get_args():
    p = argparse.ArgumentParser()
    p.add_argument("--epochs", type=int, default=12)
    p.add_argument("--batch-size", type=int, default=64)
    p.add_argument("--lr", type=float, default=5e-3)
    p.add_argument("--clip", type=float, default=1.0)
    p.add_argument("--seed", type=int, default=0)
    return p.parse_args()


def spirals(n, gen):
    t = torch.rand(n, generator=gen) * 3 + 0.5
    k = torch.randint(0, 3, (n,), generator=gen)
    angle = t * 1.6 + k * 2.0944
    xy = torch.stack([t * angle.cos(), t * angle.sin()], 1) / 2
    return TensorDataset(xy + 0.03 * torch.randn(n, 2, generator=gen), k)


def update(loss, model, optimizer, scaler, clip):
    scaler.scale(loss).backward()
    scaler.unscale_(optimizer)
    nn.utils.clip_grad_norm_(model.parameters(), clip)
    optimizer.zero_grad(set_to_none=False)
    scaler.step(optimizer)
    scaler.update()


@torch.inference_mode()
def validate(model, loader):
    model.eval()
    good = sum((model(x).argmax(-1) == y).sum().item() for x, y in loader)
    model.train()
    return good / len(loader.dataset)


def main():
    args = get_args()
    torch.manual_seed(args.seed)
    gen = torch.Generator().manual_seed(args.seed)
    train = DataLoader(spirals(1024, gen), batch_size=args.batch_size, shuffle=True)
    val = DataLoader(spirals(300, gen), batch_size=300)
    model = nn.Sequential(nn.Linear(2, 64), nn.GELU(), nn.Linear(64, 64), nn.GELU(), nn.Linear(64, 3))
    optimizer = torch.optim.Adam(model.parameters(), lr=args.lr)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=args.epochs)
    scaler = torch.amp.GradScaler("cpu", init_scale=128.0)
    for epoch in range(args.epochs):
        total = 0.0
        for x, y in train:
            with torch.autocast("cpu", dtype=torch.bfloat16):
                out = model(x)
            loss = nn.functional.cross_entropy(out.float(), y)
            update(loss, model, optimizer, scaler, args.clip)
            total += loss.item()
        scheduler.step()
        print(f"{epoch:02d} loss {total / len(train):.4f} val {validate(model, val):.3f}")


if __name__ == "__main__":
    main()
