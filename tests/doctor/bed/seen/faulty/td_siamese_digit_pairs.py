# expect: non_finite_loss @ 50
# allowed: non_finite_loss @ 24
"""Siamese network on digit pairs with the contrastive loss; the embedding is judged by its nearest neighbours."""
import numpy as np
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, Dataset


class Pairs(Dataset):
    """Half of the pairs show the same digit, half show different ones."""

    def __init__(self, x, y, count, seed):
        rng = np.random.default_rng(seed)
        self.x = x
        members = [np.flatnonzero(y == c) for c in range(10)]
        self.pairs = []
        for k in range(count):
            a, b = rng.choice(10, 2, replace=False)
            if k % 2:
                b = a
            i, j = rng.choice(members[a]), rng.choice(members[b])
            self.pairs.append((int(i), int(j), float(a == b)))

    def __len__(self):
        return len(self.pairs)

    def __getitem__(self, k):
        i, j, same = self.pairs[k]
        return self.x[i], self.x[j], torch.tensor(same)


class Encoder(nn.Module):
    def __init__(self, dim=12):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, dim))

    def forward(self, x):
        return self.body(x)


class ContrastiveLoss(nn.Module):
    def __init__(self, margin=2.0):
        super().__init__()
        self.margin = margin

    def forward(self, a, b, same):
        distance = (a - b).pow(2).sum(dim=1).sqrt()
        far = torch.clamp(self.margin - distance, min=0)
        return (same * distance.pow(2) + (1 - same) * far.pow(2)).mean()


@torch.no_grad()
def neighbour_accuracy(encoder, x_ref, y_ref, x, y):
    encoder.eval()
    nearest = torch.cdist(encoder(x), encoder(x_ref)).argmin(dim=1)
    return float((y_ref[nearest.numpy()] == y).mean())


def main():
    torch.manual_seed(12)
    digits = load_digits()
    x = torch.tensor(digits.data, dtype=torch.float32) / 16
    x_train, x_test, y_train, y_test = train_test_split(x, digits.target, test_size=0.3, stratify=digits.target, random_state=12)
    loader = DataLoader(Pairs(x_train, y_train, 6000, seed=1), batch_size=100, shuffle=True)

    encoder, criterion = Encoder(), ContrastiveLoss()
    optimizer = torch.optim.Adam(encoder.parameters(), lr=2e-3)
    for epoch in range(5):
        encoder.train()
        losses = []
        for a, b, same in loader:
            loss = criterion(encoder(a), encoder(b), same)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        print(f"epoch {epoch + 1}: contrastive loss {np.mean(losses):.4f}")
    print(f"nearest-neighbour accuracy on test digits {neighbour_accuracy(encoder, x_train, y_train, x_test, y_test):.3f}")


if __name__ == "__main__":
    main()
