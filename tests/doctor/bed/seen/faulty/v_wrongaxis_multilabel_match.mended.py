# expect: nothing
"""Multi-label tagging of synthetic songs with an exact-match score accumulated by a metric class."""
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

TAGS = ["rock", "loud", "fast", "sad"]


def songs(n, seed):
    g = torch.Generator().manual_seed(seed)
    x = torch.randn(n, 10, generator=g)
    score = torch.stack([x[:, 0] + x[:, 1], x[:, 2] - x[:, 0], x[:, 3] + 0.5 * x[:, 4], x[:, 5] - x[:, 6]], 1)
    return x, (score + 0.1 * torch.randn(n, 4, generator=g) > 0).float()


class ExactMatch:
    def __init__(self):
        self.values = []

    def update(self, logits, target):
        same = (logits > 0).float() == target
        self.values.append(same.all(dim=1).float())

    def compute(self):
        return torch.cat(self.values).mean().item()


class Tagger(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(10, 48), nn.ReLU(), nn.Linear(48, 48), nn.ReLU())
        self.tags = nn.Linear(48, len(TAGS))

    def forward(self, x):
        return self.tags(self.body(x))


def evaluate(model, loader):
    metric = ExactMatch()
    model.eval()
    with torch.no_grad():
        for x, y in loader:
            metric.update(model(x), y)
    return metric.compute()


def main():
    torch.manual_seed(0)
    train = DataLoader(TensorDataset(*songs(1500, 0)), batch_size=50, shuffle=True)
    test = DataLoader(TensorDataset(*songs(400, 1)), batch_size=100)
    model = Tagger()
    opt = torch.optim.Adam(model.parameters(), lr=3e-3)
    loss_fn = nn.BCEWithLogitsLoss()
    for epoch in range(10):
        model.train()
        for x, y in train:
            opt.zero_grad()
            loss = loss_fn(model(x), y)
            loss.backward()
            opt.step()
        if epoch % 3 == 0:
            print(f"epoch {epoch} loss {loss.item():.3f} exact match {evaluate(model, test):.3f}")


if __name__ == "__main__":
    main()
