# expect: nothing
"""A body pretrained to restore noisy digit images is frozen; only a new head is trained on few labels."""
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn


class Body(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(64, 96), nn.BatchNorm1d(96), nn.ReLU(),
            nn.Linear(96, 48), nn.BatchNorm1d(48), nn.ReLU(),
        )

    def forward(self, x):
        return self.layers(x)


class Probe(nn.Module):
    """The body's parameters and its running statistics stay as they are."""

    def __init__(self, body, classes):
        super().__init__()
        self.body = body
        for p in self.body.parameters():
            p.requires_grad = False
        self.head = nn.Sequential(nn.Linear(48, 32), nn.ReLU(), nn.Dropout(0.2), nn.Linear(32, classes))

    def train(self, mode=True):
        super().train(mode)
        self.body.eval()
        return self

    def forward(self, x):
        with torch.no_grad():
            h = self.body(x)
        return self.head(h)


def batches(n, size):
    for rows in torch.randperm(n).split(size):
        if len(rows) == size:
            yield rows


def pretrain(body, x, epochs=12):
    restore = nn.Linear(48, 64)
    optimizer = torch.optim.Adam([*body.parameters(), *restore.parameters()], lr=3e-3)
    for _ in range(epochs):
        body.train()
        total, count = 0.0, 0
        for rows in batches(len(x), 64):
            clean = x[rows]
            loss = (restore(body(clean + 0.3 * torch.randn_like(clean))) - clean).pow(2).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total, count = total + loss.item(), count + 1
    print(f"restoration loss {total / count:.4f}")


def fine_tune(model, x, y, epochs=30):
    optimizer = torch.optim.Adam((p for p in model.parameters() if p.requires_grad), lr=5e-3)
    for epoch in range(epochs):
        model.train()
        total, count = 0.0, 0
        for rows in batches(len(x), 25):
            loss = nn.functional.cross_entropy(model(x[rows]), y[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total, count = total + loss.item(), count + 1
    print(f"head loss {total / count:.4f}")


def main():
    torch.manual_seed(68)
    X, y = load_digits(return_X_y=True)
    X_tr, X_te, y_tr, y_te = train_test_split(X, y, test_size=0.3, stratify=y, random_state=68)
    _, X_few, _, y_few = train_test_split(X_tr, y_tr, test_size=300, stratify=y_tr, random_state=68)
    pool, few, test = (torch.tensor(a / 8.0 - 1.0, dtype=torch.float32) for a in (X_tr, X_few, X_te))
    body = Body()
    pretrain(body, pool)
    model = Probe(body, classes=10)
    fine_tune(model, few, torch.tensor(y_few))
    model.eval()
    with torch.no_grad():
        hits = (model(test).argmax(dim=1) == torch.tensor(y_te)).float().mean().item()
    print(f"test accuracy with 300 labels {hits:.3f}")


if __name__ == "__main__":
    main()
