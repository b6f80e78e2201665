# expect: nothing
"""Three machine conditions told apart from vibration windows by a 1-D CNN; memory is short, so batches are put together from micro-batches."""
import argparse
import math

import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset

LENGTH = 64


def simulate(n, generator):
    t = torch.arange(LENGTH) / LENGTH
    label = torch.arange(n) % 3
    phase = 2 * math.pi * torch.rand(n, 1, generator=generator)
    base = torch.sin(2 * math.pi * 4 * t + phase)
    wear = 0.7 * torch.sin(2 * math.pi * 13 * t + 2 * phase) * (label == 1).unsqueeze(1)
    knock = torch.zeros(n, LENGTH)
    at = torch.randint(0, 16, (n,), generator=generator)
    for k in range(4):
        knock[torch.arange(n), at + 16 * k] = 1.8
    knock = knock * (label == 2).unsqueeze(1)
    noise = 0.4 * torch.randn(n, LENGTH, generator=generator)
    return TensorDataset((base + wear + knock + noise).unsqueeze(1), label)


class ConvNet(nn.Module):
    def __init__(self, width, n_classes=3):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv1d(1, width, 7, padding=3, bias=False), nn.BatchNorm1d(width), nn.ReLU(), nn.MaxPool1d(2),
            nn.Conv1d(width, 2 * width, 5, padding=2, bias=False), nn.BatchNorm1d(2 * width), nn.ReLU(),
        )
        self.head = nn.Linear(2 * width, n_classes)

    def forward(self, x):
        return self.head(self.features(x).amax(dim=2))


def parse_args():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--micro-batch", type=int, default=16)
    parser.add_argument("--effective-batch", type=int, default=16)
    parser.add_argument("--width", type=int, default=12)
    parser.add_argument("--lr", type=float, default=4e-3)
    parser.add_argument("--seed", type=int, default=9)
    return parser.parse_args()


def main(args):
    generator = torch.Generator().manual_seed(args.seed)
    torch.manual_seed(args.seed)
    train, test = simulate(480, generator), simulate(240, generator)
    loader = DataLoader(train, batch_size=args.micro_batch, shuffle=True)
    accumulate = args.effective_batch // args.micro_batch
    net = ConvNet(args.width)
    optimizer = torch.optim.Adam(net.parameters(), lr=args.lr)
    criterion = nn.CrossEntropyLoss()

    for epoch in range(args.epochs):
        net.train()
        total = 0.0
        optimizer.zero_grad()
        for i, (signal, label) in enumerate(loader, start=1):
            loss = criterion(net(signal), label) / accumulate
            loss.backward()
            total += loss.item() * accumulate
            if i % accumulate == 0 or i == len(loader):
                optimizer.step()
                optimizer.zero_grad()
        print(f"epoch {epoch + 1}  loss {total / len(loader):.4f}")

    net.eval()
    with torch.inference_mode():
        signal, label = test.tensors
        print(f"test accuracy {(net(signal).argmax(1) == label).float().mean():.3f}")


if __name__ == "__main__":
    main(parse_args())
