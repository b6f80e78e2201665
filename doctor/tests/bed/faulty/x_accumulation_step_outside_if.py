# expect: missing_zero_grad @ 42
# mend: 42 →
# mend: 43 +             optimizer.step()
"""Gradient accumulation over four micro-batches, with a cosine schedule."""

import argparse

import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch.utils.data import DataLoader, TensorDataset

parser = argparse.ArgumentParser()
parser.add_argument("--batch-size", type=int, default=32)
parser.add_argument("--accum-steps", type=int, default=4)
parser.add_argument("--lr", type=float, default=0.1)
parser.add_argument("--epochs", type=int, default=4)
args = parser.parse_args([])

torch.manual_seed(42)
digits = load_digits()
dataset = TensorDataset(
    torch.from_numpy(digits.images).float().unsqueeze(1) / 16.0, torch.from_numpy(digits.target)
)
loader = DataLoader(dataset, batch_size=args.batch_size, shuffle=True, drop_last=True)

model = torch.nn.Sequential(
    torch.nn.Conv2d(1, 8, 3, padding=1),
    torch.nn.ReLU(),
    torch.nn.MaxPool2d(2),
    torch.nn.Flatten(),
    torch.nn.Linear(128, 10),
)
optimizer = torch.optim.SGD(model.parameters(), lr=args.lr, momentum=0.9)
scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=args.epochs)

optimizer.zero_grad()
for epoch in range(args.epochs):
    for batch_idx, (data, target) in enumerate(loader):
        loss = F.cross_entropy(model(data), target) / args.accum_steps
        loss.backward()
        optimizer.step()
        if (batch_idx + 1) % args.accum_steps == 0:
            optimizer.zero_grad()
        if batch_idx % 20 == 0:
            print(f"Epoch: {epoch} [{batch_idx}/{len(loader)}]\tLoss: {loss.item() * args.accum_steps:.6f}")
    scheduler.step()
