# expect: nothing
"""Message passing network that predicts a molecular property from made-up small molecules."""
import argparse

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset, random_split

N_ATOMS = 9
ELEMENTS = ("C", "N", "O", "F")
CHARGE = np.array([2.5, 3.0, 3.4, 4.0])


class MoleculeDataset(Dataset):
    """Dense adjacency, one-hot element types, and an energy built from bonds and charges."""

    def __init__(self, n, seed):
        rng = np.random.default_rng(seed)
        self.graphs = []
        for _ in range(n):
            size = rng.integers(5, N_ATOMS + 1)
            kinds = rng.integers(0, len(ELEMENTS), size)
            adj = np.zeros((N_ATOMS, N_ATOMS), dtype=np.float32)
            for i in range(1, size):
                j = rng.integers(0, i)
                adj[i, j] = adj[j, i] = 1.0
            x = np.zeros((N_ATOMS, len(ELEMENTS)), dtype=np.float32)
            x[np.arange(size), kinds] = 1.0
            q = np.zeros(N_ATOMS)
            q[:size] = CHARGE[kinds]
            bonds = np.triu(adj)
            energy = (bonds * np.abs(q[:, None] - q[None, :])).sum() + 0.4 * q.sum()
            self.graphs.append((adj, x, energy + rng.normal(0, 0.05)))

    def __len__(self):
        return len(self.graphs)

    def __getitem__(self, i):
        adj, x, energy = self.graphs[i]
        return torch.from_numpy(adj), torch.from_numpy(x), torch.tensor(energy, dtype=torch.float32)


class MPNN(nn.Module):
    def __init__(self, hidden=48, steps=2):
        super().__init__()
        self.embed = nn.Linear(len(ELEMENTS), hidden)
        self.messages = nn.ModuleList(nn.Linear(2 * hidden, hidden) for _ in range(steps))
        self.readout = nn.Sequential(nn.Linear(hidden, hidden), nn.ReLU(), nn.Linear(hidden, 1))

    def forward(self, adj, x):
        mask = x.sum(-1, keepdim=True)
        h = self.embed(x) * mask
        for layer in self.messages:
            h = h + torch.relu(layer(torch.cat([h, adj @ h], dim=-1))) * mask
        return self.readout(h.sum(dim=1) / 4)


def train_one_epoch(model, loader, optimizer, mean, std):
    model.train()
    total = 0.0
    for adj, x, y in loader:
        y = (y - mean) / std
        out = model(adj, x)
        loss = (out.view(-1) - y).abs().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item() * len(y)
    return total / len(loader.dataset)


@torch.no_grad()
def mean_absolute_error(model, loader, mean, std):
    model.eval()
    errors = []
    for adj, x, y in loader:
        pred = model(adj, x).view(-1) * std + mean
        errors.append((pred - y).abs())
    return torch.cat(errors).mean().item()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--epochs", type=int, default=15)
    parser.add_argument("--batch-size", type=int, default=50)
    parser.add_argument("--lr", type=float, default=3e-3)
    args = parser.parse_args()
    torch.manual_seed(0)

    train_set, test_set = random_split(MoleculeDataset(1200, seed=0), [1000, 200])
    train_loader = DataLoader(train_set, args.batch_size, shuffle=True)
    test_loader = DataLoader(test_set, args.batch_size)
    energies = torch.stack([train_set[i][2] for i in range(len(train_set))])
    mean, std = energies.mean(), energies.std()

    model = MPNN()
    optimizer = torch.optim.Adam(model.parameters(), lr=args.lr)
    for epoch in range(args.epochs):
        loss = train_one_epoch(model, train_loader, optimizer, mean, std)
        if epoch % 5 == 4:
            print(f"epoch {epoch + 1:2d}  train loss {loss:.4f}")
    print(f"test MAE {mean_absolute_error(model, test_loader, mean, std):.3f} (std of energies {std:.3f})")


if __name__ == "__main__":
    main()
