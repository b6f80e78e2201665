# expect: params_not_in_optimizer @ 60
# allowed: params_not_in_optimizer @ 62
# allowed: params_not_in_optimizer @ 64
"""Pretrain on the digits 0-4, then move the network over to the digits 5-9."""
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split


class SmallNet(nn.Module):
    def __init__(self, n_out):
        super().__init__()
        self.backbone = nn.Sequential(nn.Linear(64, 48), nn.ReLU(), nn.Linear(48, 24), nn.ReLU())
        self.head = nn.Linear(24, n_out)

    def forward(self, x):
        return self.head(self.backbone(x))


def subset(x, y, lo, hi):
    keep = (y >= lo) & (y < hi)
    return x[keep], y[keep] - lo


def run_epochs(model, opt, x, y, epochs, bs=32):
    for _ in range(epochs):
        model.train()
        losses = []
        for idx in torch.randperm(len(x)).split(bs):
            opt.zero_grad()
            loss = F.cross_entropy(model(x[idx]), y[idx])
            loss.backward()
            opt.step()
            losses.append(loss.item())
    return sum(losses) / len(losses)


def accuracy(model, x, y):
    model.eval()
    with torch.no_grad():
        return (model(x).argmax(1) == y).float().mean().item()


def main():
    torch.manual_seed(4)
    x, y = load_digits(return_X_y=True)
    x_tr, x_te, y_tr, y_te = train_test_split(x / 16.0, y, test_size=0.3, random_state=4, stratify=y)
    x_tr, x_te = (torch.tensor(a, dtype=torch.float32) for a in (x_tr, x_te))
    y_tr, y_te = torch.tensor(y_tr), torch.tensor(y_te)

    low_tr, low_te = subset(x_tr, y_tr, 0, 5), subset(x_te, y_te, 0, 5)
    model = SmallNet(5)
    opt = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    loss = run_epochs(model, opt, *low_tr, epochs=12)
    print(f"pretrain  loss {loss:.4f}  acc(0-4) {accuracy(model, *low_te):.3f}")

    high_tr, high_te = subset(x_tr, y_tr, 5, 10), subset(x_te, y_te, 5, 10)
    opt = torch.optim.SGD([
        {"params": model.backbone.parameters(), "lr": 2e-3},
        {"params": model.head.parameters(), "lr": 5e-2},
    ], momentum=0.9)
    model.head = nn.Linear(24, 5)
    for stage in range(4):
        loss = run_epochs(model, opt, *high_tr, epochs=3)
        print(f"finetune {3 * (stage + 1):2d}  loss {loss:.4f}")
    print(f"acc(5-9) {accuracy(model, *high_te):.3f}")


if __name__ == "__main__":
    main()
