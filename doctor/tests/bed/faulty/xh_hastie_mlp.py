# expect: bad_label_values @ 19
# allowed: bad_label_values @ 17
# allowed: bad_label_values @ 46
# mend: 19 →         self.y = torch.tensor(y > 0, dtype=torch.float32)
# MLP on the Hastie et al. 10.2 toy problem (ESL, chapter 10)
import argparse

import numpy as np
import torch
from torch import nn, optim
from torch.utils.data import DataLoader, Dataset, random_split
from sklearn.datasets import make_hastie_10_2


class HastieDataset(Dataset):
    def __init__(self, n, seed):
        X, y = make_hastie_10_2(n_samples=n, random_state=seed)
        self.X = torch.tensor(X, dtype=torch.float32)
        self.y = torch.tensor(y, dtype=torch.float32)

    def __len__(self):
        return len(self.X)

    def __getitem__(self, i):
        return self.X[i], self.y[i]


class MLP(nn.Module):
    def __init__(self, d_in=10, hidden=64):
        super().__init__()
        self.fc1 = nn.Linear(d_in, hidden)
        self.fc2 = nn.Linear(hidden, hidden)
        self.out = nn.Linear(hidden, 1)

    def forward(self, x):
        x = torch.relu(self.fc1(x))
        x = torch.relu(self.fc2(x))
        return self.out(x).squeeze(-1)


def run_epoch(model, loader, criterion, optimizer):
    model.train()
    running = 0.0
    for xb, yb in loader:
        optimizer.zero_grad()
        loss = criterion(model(xb), yb)
        loss.backward()
        optimizer.step()
        running += loss.item() * xb.size(0)
    return running / len(loader.dataset)


@torch.no_grad()
def evaluate(model, loader):
    model.eval()
    hits = 0
    for xb, yb in loader:
        pred = (torch.sigmoid(model(xb)) > 0.5).float()
        hits += (pred == yb).sum().item()
    return hits / len(loader.dataset)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--lr", type=float, default=2e-3)
    parser.add_argument("--seed", type=int, default=3)
    args = parser.parse_args()

    torch.manual_seed(args.seed)
    data = HastieDataset(3200, args.seed)
    train_set, test_set = random_split(data, [2400, 800],
                                       generator=torch.Generator().manual_seed(args.seed))
    train_loader = DataLoader(train_set, batch_size=args.batch_size, shuffle=True)
    test_loader = DataLoader(test_set, batch_size=256)

    model = MLP()
    criterion = nn.BCEWithLogitsLoss()
    optimizer = optim.Adam(model.parameters(), lr=args.lr)
    for epoch in range(1, args.epochs + 1):
        loss = run_epoch(model, train_loader, criterion, optimizer)
        if epoch % 2 == 0:
            print(f"epoch {epoch:3d} | train loss {loss:.4f}")
    print(f"test accuracy: {evaluate(model, test_loader):.3f}")


if __name__ == "__main__":
    main()
