# expect: nothing
# Siamese network on digit pairs: do the two images show the same class?
import random

import numpy as np
import torch
import torch.nn as nn
import torch.optim as optim
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch.utils.data import DataLoader, Dataset


class PairMatcher(Dataset):
    def __init__(self, images, targets, n_pairs, seed):
        self.images, self.targets = images, targets
        r = random.Random(seed)
        groups = {c: np.where(targets == c)[0].tolist() for c in range(10)}
        self.pairs = []
        for k in range(n_pairs):
            c = r.randrange(10)
            if k % 2 == 0:
                i, j = r.sample(groups[c], 2)
                self.pairs.append((i, j, 1.0))
            else:
                other = r.choice([o for o in range(10) if o != c])
                self.pairs.append((r.choice(groups[c]), r.choice(groups[other]), 0.0))

    def __len__(self):
        return len(self.pairs)

    def __getitem__(self, index):
        i, j, t = self.pairs[index]
        return self.images[i], self.images[j], torch.tensor(t)


class SiameseNetwork(nn.Module):
    def __init__(self):
        super().__init__()
        self.trunk = nn.Sequential(
            nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(),
            nn.Conv2d(16, 32, 3, stride=2, padding=1), nn.ReLU(),
            nn.Flatten(), nn.Linear(32 * 16, 48), nn.ReLU(),
        )
        self.fc = nn.Sequential(nn.Linear(96, 64), nn.ReLU(), nn.Linear(64, 1))
        self.sigmoid = nn.Sigmoid()

    def forward(self, a, b):
        fa, fb = self.trunk(a), self.trunk(b)
        h = torch.cat([(fa - fb).abs(), fa * fb], dim=1)
        return self.sigmoid(self.fc(h))


def train(model, loader, optimizer, criterion, epoch):
    model.train()
    total = 0.0
    for a, b, t in loader:
        optimizer.zero_grad()
        out = model(a, b).squeeze(1)
        loss = criterion(out, t)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(t)
    print(f"Train Epoch: {epoch} Loss: {total / len(loader.dataset):.4f}")


def test(model, loader):
    model.eval()
    criterion = nn.BCELoss(reduction="sum")
    test_loss, correct = 0.0, 0
    with torch.no_grad():
        for a, b, t in loader:
            out = model(a, b).squeeze(1)
            test_loss += criterion(out, t).item()
            correct += ((out > 0.5).float() == t).sum().item()
    n = len(loader.dataset)
    print(f"Test set: average loss {test_loss / n:.4f}, accuracy {correct}/{n}")


def main():
    torch.manual_seed(3)
    d = load_digits()
    images = torch.tensor(d.images / 16.0, dtype=torch.float32).unsqueeze(1)
    tr, te = train_test_split(np.arange(len(d.target)), test_size=0.3,
                              stratify=d.target, random_state=3)
    train_set = PairMatcher(images[tr], d.target[tr], 3000, seed=1)
    test_set = PairMatcher(images[te], d.target[te], 1000, seed=2)
    train_loader = DataLoader(train_set, batch_size=64, shuffle=True)
    test_loader = DataLoader(test_set, batch_size=500)
    model = SiameseNetwork()
    optimizer = optim.Adam(model.parameters(), lr=2e-3)
    for epoch in range(1, 11):
        train(model, train_loader, optimizer, nn.BCELoss(), epoch)
    test(model, test_loader)


if __name__ == "__main__":
    main()
