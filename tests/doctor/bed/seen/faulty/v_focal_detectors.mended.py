# expect: nothing
"""Ten one-against-the-rest detectors for digits under one focal loss, with the usual rare-object prior at the start."""
import math

import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch.utils.data import DataLoader, TensorDataset


def focal_loss(logits, targets, gamma=1.0, alpha=0.5):
    bce = F.binary_cross_entropy_with_logits(logits, targets, reduction="none")
    p_right = torch.exp(-bce)
    weight = torch.where(targets == 1, alpha, 1 - alpha)
    return (weight * (1 - p_right) ** gamma * bce).sum(dim=1).mean()


class Detector(nn.Module):
    def __init__(self, n_in=64, width=64, n_out=10, prior=0.01):
        super().__init__()
        self.prior = prior
        self.tower = nn.Sequential(
            nn.Linear(n_in, width), nn.ReLU(inplace=True),
            nn.Linear(width, width), nn.ReLU(inplace=True),
        )
        self.cls_score = nn.Linear(width, n_out)
        self.init_weights()

    def init_weights(self):
        start = -math.log((1 - self.prior) / self.prior)
        for name, module in self.named_modules():
            if isinstance(module, nn.Linear):
                nn.init.kaiming_uniform_(module.weight, nonlinearity="relu")
                nn.init.constant_(module.bias, start if name == "cls_score" else 0.0)

    def forward(self, x):
        return self.cls_score(self.tower(x))


def train_epoch(model, loader, optimizer):
    model.train()
    total = 0.0
    for x, y in loader:
        optimizer.zero_grad()
        loss = focal_loss(model(x), F.one_hot(y, 10).float())
        loss.backward()
        optimizer.step()
        total += loss.item()
    return total / len(loader)


@torch.no_grad()
def recall_per_digit(model, x, y):
    model.eval()
    found = model(x).argmax(dim=1)
    return [((found == d) & (y == d)).sum().item() / (y == d).sum().item() for d in range(10)]


def main():
    torch.manual_seed(37)
    X, y = load_digits(return_X_y=True)
    X_tr, X_te, y_tr, y_te = train_test_split(X / 16.0, y, test_size=0.25, stratify=y, random_state=37)
    x_tr, x_te = torch.tensor(X_tr, dtype=torch.float32), torch.tensor(X_te, dtype=torch.float32)
    y_tr, y_te = torch.tensor(y_tr), torch.tensor(y_te)
    loader = DataLoader(TensorDataset(x_tr, y_tr), batch_size=64, shuffle=True)

    model = Detector()
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    for epoch in range(1, 11):
        loss = train_epoch(model, loader, optimizer)
        if epoch % 2 == 0:
            print(f"epoch {epoch} focal loss {loss:.4f}")
    recall = recall_per_digit(model, x_te, y_te)
    print("recall per digit", " ".join(f"{r:.2f}" for r in recall))
    print(f"mean recall on test digits {sum(recall) / 10:.3f}")


if __name__ == "__main__":
    main()
