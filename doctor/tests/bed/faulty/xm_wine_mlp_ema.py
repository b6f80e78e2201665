# expect: softmax_before_cross_entropy @ 47
# allowed: softmax_before_cross_entropy @ 42
# allowed: softmax_before_cross_entropy @ 81
# allowed: softmax_before_cross_entropy @ 73
# mend: 47 →         return self.out(x)
"""MLP on the wine data with an averaged copy of the weights (EMA) for evaluation."""
import copy

import numpy as np
import torch
from sklearn.datasets import load_wine
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch import nn

SEED, EPOCHS, BATCH, LR, DECAY = 8, 8, 32, 0.02, 0.8


class ModelEMA:
    def __init__(self, model, decay):
        self.module = copy.deepcopy(model).eval()
        self.decay = decay
        for p in self.module.parameters():
            p.requires_grad_(False)

    @torch.no_grad()
    def update(self, model):
        for e, p in zip(self.module.state_dict().values(), model.state_dict().values()):
            if e.dtype.is_floating_point:
                e.mul_(self.decay).add_(p, alpha=1 - self.decay)
            else:
                e.copy_(p)


class WineNet(nn.Module):
    def __init__(self, d_in, hidden, n_out):
        super().__init__()
        self.fc1 = nn.Linear(d_in, hidden)
        self.fc2 = nn.Linear(hidden, hidden)
        self.out = nn.Linear(hidden, n_out)
        self.act = nn.ReLU()
        self.prob = nn.Softmax(dim=1)

    def forward(self, x):
        x = self.act(self.fc1(x))
        x = self.act(self.fc2(x))
        return self.prob(self.out(x))


def batches(x, y, generator):
    order = torch.randperm(len(x), generator=generator)
    for part in order.split(BATCH):
        yield x[part], y[part]


def accuracy(model, x, y):
    model.eval()
    with torch.no_grad():
        return (model(x).argmax(dim=1) == y).float().mean().item()


def main():
    torch.manual_seed(SEED)
    X, y = load_wine(return_X_y=True)
    X_tr, X_te, y_tr, y_te = train_test_split(X, y, test_size=0.35, stratify=y, random_state=SEED)
    sc = StandardScaler().fit(X_tr)
    to_t = lambda a: torch.from_numpy(sc.transform(a).astype(np.float32))
    X_tr, X_te = to_t(X_tr), to_t(X_te)
    y_tr, y_te = torch.from_numpy(y_tr), torch.from_numpy(y_te)

    model = WineNet(X_tr.shape[1], 32, 3)
    ema = ModelEMA(model, DECAY)
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=LR, momentum=0.9, nesterov=True)
    gen = torch.Generator().manual_seed(SEED)

    for epoch in range(1, EPOCHS + 1):
        model.train()
        total = 0.0
        for xb, yb in batches(X_tr, y_tr, gen):
            loss = criterion(model(xb), yb)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            ema.update(model)
            total += loss.item() * len(xb)
        print(f"epoch {epoch:2d}  train loss {total / len(X_tr):.4f}  "
              f"acc {accuracy(model, X_te, y_te):.3f}  ema acc {accuracy(ema.module, X_te, y_te):.3f}")


if __name__ == "__main__":
    main()
