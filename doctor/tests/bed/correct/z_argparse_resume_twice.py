# expect: nothing
"""A train.py with checkpoints: trains, saves all, builds anew, resumes and goes on."""

import argparse
import io

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def build(args):
    model = nn.Sequential(nn.Linear(8, args.width), nn.ReLU(), nn.Dropout(0.1), nn.Linear(args.width, 3))
    optimizer = torch.optim.SGD(model.parameters(), lr=args.lr, momentum=0.9)
    scheduler = torch.optim.lr_scheduler.MultiStepLR(optimizer, [3, 5], gamma=0.3)
    return model, optimizer, scheduler


def run(args, start, end, checkpoint=None):
    model, optimizer, scheduler = build(args)
    if checkpoint is not None:
        checkpoint.seek(0)
        state = torch.load(checkpoint, weights_only=True)
        model.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
        scheduler.load_state_dict(state["scheduler"])
    for epoch in range(start, end):
        model.train()
        for x, y in train_loader:
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(model(x), y)
            loss.backward()
            optimizer.step()
        scheduler.step()
        model.eval()
        with torch.no_grad():
            acc = sum((model(x).argmax(1) == y).sum().item() for x, y in test_loader) / 100
        print(f"epoch {epoch} loss {loss.item():.4f} acc {acc:.3f} lr {scheduler.get_last_lr()[0]:.4f}")
    out = io.BytesIO()
    torch.save(
        {
            "model": model.state_dict(),
            "optimizer": optimizer.state_dict(),
            "scheduler": scheduler.state_dict(),
        },
        out,
    )
    return out


parser = argparse.ArgumentParser()
parser.add_argument("--width", type=int, default=32)
parser.add_argument("--lr", type=float, default=0.05)
args = parser.parse_args()
torch.manual_seed(1)
centers = torch.randn(3, 8)
labels = torch.randint(0, 3, (500,))
points = centers[labels] + torch.randn(500, 8)
train_loader = DataLoader(TensorDataset(points[:400], labels[:400]), batch_size=40, shuffle=True)
test_loader = DataLoader(TensorDataset(points[400:], labels[400:]), batch_size=50)
run(args, 4, 7, run(args, 0, 4))
