# expect: non_finite_loss @ 45
"""Siamese net with contrastive loss on digit pairs; test digits take the class of the nearest training embedding."""
import numpy as np
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, Dataset


class PairSet(Dataset):
    """A digit with a partner: of its own class half the time, else of another."""

    def __init__(self, images, labels, seed):
        self.images, self.labels = images, labels
        self.rng = np.random.default_rng(seed)
        self.by_class = [np.flatnonzero(labels == c) for c in range(10)]

    def __len__(self):
        return len(self.images)

    def __getitem__(self, i):
        same = self.rng.random() < 0.5
        mine = int(self.labels[i])
        other = mine if same else (mine + int(self.rng.integers(1, 10))) % 10
        j = self.rng.choice(self.by_class[other])
        return self.images[i], self.images[j], np.float32(same)


class Embedder(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(64, 96), nn.ReLU(), nn.Linear(96, 16))

    def forward(self, x):
        return self.body(x)


class ContrastiveLoss(nn.Module):
    def __init__(self, margin=2.0):
        super().__init__()
        self.margin = margin

    def forward(self, a, b, same):
        dist = torch.sqrt((a - b).pow(2).sum(dim=1))
        near = same * dist.pow(2)
        far = (1 - same) * torch.relu(self.margin - dist).pow(2)
        return (near + far).mean()


@torch.no_grad()
def nearest_accuracy(net, ref_x, ref_y, x, y):
    net.eval()
    index = torch.cdist(net(x), net(ref_x)).argmin(dim=1)
    return (ref_y[index] == y).float().mean().item()


def main():
    torch.manual_seed(2)
    digits = load_digits()
    x_tr, x_te, y_tr, y_te = train_test_split(digits.data.astype(np.float32) / 8 - 1, digits.target,
                                              test_size=0.3, stratify=digits.target, random_state=2)
    loader = DataLoader(PairSet(x_tr, y_tr, seed=2), batch_size=64, shuffle=True)
    net, criterion = Embedder(), ContrastiveLoss()
    optimizer = torch.optim.Adam(net.parameters(), lr=2e-3)
    for epoch in range(12):
        net.train()
        total, count = 0.0, 0
        for a, b, same in loader:
            loss = criterion(net(a), net(b), same)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item()
            count += 1
        if epoch % 3 == 0:
            print(f"epoch {epoch:2d} contrastive loss {total / count:.4f}")
    as_t = torch.from_numpy
    print(f"nearest-neighbour test accuracy {nearest_accuracy(net, as_t(x_tr), as_t(y_tr), as_t(x_te), as_t(y_te)):.3f}")


if __name__ == "__main__":
    main()
