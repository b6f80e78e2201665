# expect: test_in_train @ 33
# allowed: test_in_train @ 34
"""Pairwise ranking of items with a siamese scorer; noisy human preferences, margin ranking loss."""
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset, random_split


class Preferences(Dataset):
    """Pairs of item descriptions and which of the two a (noisy) judge preferred."""

    def __init__(self, n=700, dim=20, flip=0.15, seed=0):
        g = torch.Generator().manual_seed(seed)
        self.left = torch.randn(n, dim, generator=g)
        self.right = torch.randn(n, dim, generator=g)
        taste = torch.randn(dim, generator=g)
        sign = torch.sign((self.left - self.right) @ taste)
        flips = torch.rand(n, generator=g) < flip
        self.sign = torch.where(flips, -sign, sign)

    def __len__(self):
        return len(self.sign)

    def __getitem__(self, i):
        return self.left[i], self.right[i], self.sign[i]


def make_loaders(dataset, test_fraction=0.3):
    n_test = int(test_fraction * len(dataset))
    train_part, test_part = random_split(
        dataset, [len(dataset) - n_test, n_test], generator=torch.Generator().manual_seed(0)
    )
    train = DataLoader(dataset, batch_size=40, shuffle=True)
    test = DataLoader(test_part, batch_size=120)
    return train, test


class Scorer(nn.Module):
    def __init__(self, dim=20):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(dim, 64), nn.ReLU(), nn.Linear(64, 1))

    def forward(self, item):
        return self.net(item).squeeze(-1)


def agreement(scorer, loader):
    scorer.eval()
    with torch.no_grad():
        right = sum((torch.sign(scorer(a) - scorer(b)) == s).sum().item() for a, b, s in loader)
    return right / len(loader.dataset)


torch.manual_seed(2)
train_loader, test_loader = make_loaders(Preferences())
scorer = Scorer()
optimizer = torch.optim.Adam(scorer.parameters(), lr=3e-3)
criterion = nn.MarginRankingLoss(margin=0.5)
for epoch in range(25):
    scorer.train()
    for a, b, s in train_loader:
        optimizer.zero_grad()
        loss = criterion(scorer(a), scorer(b), s)
        loss.backward()
        optimizer.step()
print(f"train loss {loss.item():.4f} agreement on test pairs {agreement(scorer, test_loader):.3f}")
