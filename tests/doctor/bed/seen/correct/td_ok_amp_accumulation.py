# expect: nothing
"""Digits with bfloat16 autocast on the CPU, gradients gathered over four small batches, clipping and a warm-up schedule."""
import argparse

import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch.utils.data import DataLoader, TensorDataset


def parse():
    p = argparse.ArgumentParser()
    p.add_argument("--epochs", type=int, default=6)
    p.add_argument("--micro-batch", type=int, default=16)
    p.add_argument("--accumulate", type=int, default=4)
    p.add_argument("--lr", type=float, default=6e-3)
    p.add_argument("--warmup", type=int, default=20)
    p.add_argument("--clip", type=float, default=1.0)
    return p.parse_args()


class Mixer(nn.Module):
    """One token per picture row."""

    def __init__(self, dim=48, classes=10):
        super().__init__()
        self.embed = nn.Linear(8, dim)
        self.tokens = nn.Sequential(nn.LayerNorm(8), nn.Linear(8, 16), nn.GELU(), nn.Linear(16, 8))
        self.channels = nn.Sequential(nn.LayerNorm(dim), nn.Linear(dim, 96), nn.GELU(), nn.Linear(96, dim))
        self.head = nn.Sequential(nn.LayerNorm(8 * dim), nn.Dropout(0.1), nn.Linear(8 * dim, classes))

    def forward(self, x):
        h = self.embed(x)
        h = h + self.tokens(h.transpose(1, 2)).transpose(1, 2)
        h = h + self.channels(h)
        return self.head(h.flatten(1))


def main(args):
    torch.manual_seed(0)
    digits = load_digits()
    x = torch.tensor(digits.images, dtype=torch.float32) / 8 - 1
    x_train, x_test, y_train, y_test = train_test_split(
        x, torch.tensor(digits.target), test_size=0.25, stratify=digits.target, random_state=0
    )
    loader = DataLoader(TensorDataset(x_train, y_train), batch_size=args.micro_batch, shuffle=True, drop_last=True)

    model = Mixer()
    optimizer = torch.optim.AdamW(model.parameters(), lr=args.lr, weight_decay=0.01)
    warmup = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: min(1.0, (step + 1) / args.warmup))

    for epoch in range(args.epochs):
        model.train()
        optimizer.zero_grad(set_to_none=True)
        total = 0.0
        for i, (xb, yb) in enumerate(loader):
            with torch.autocast("cpu", dtype=torch.bfloat16):
                loss = F.cross_entropy(model(xb), yb)
            (loss / args.accumulate).backward()
            total += loss.item()
            if (i + 1) % args.accumulate == 0 or i + 1 == len(loader):
                nn.utils.clip_grad_norm_(model.parameters(), args.clip)
                optimizer.step()
                warmup.step()
                optimizer.zero_grad(set_to_none=True)
        print(f"epoch {epoch + 1}: loss {total / len(loader):.3f} lr {warmup.get_last_lr()[0]:.5f}")

    model.eval()
    with torch.inference_mode(), torch.autocast("cpu", dtype=torch.bfloat16):
        accuracy = (model(x_test).argmax(1) == y_test).float().mean().item()
    print(f"test accuracy {accuracy:.3f}")


if __name__ == "__main__":
    main(parse())
