# expect: dead_relu @ 37
# allowed: dead_relu @ 38
"""Spots the few odd payments in a made-up ledger; the net starts from the known share of odd ones."""
import math

import numpy as np
import torch
import torch.nn as nn
from sklearn.metrics import average_precision_score, roc_auc_score
from sklearn.model_selection import train_test_split
from torch.utils.data import DataLoader, TensorDataset

SEED = 44


def ledger(rows=4000):
    rng = np.random.default_rng(SEED)
    x = rng.normal(size=(rows, 10))
    pull = 1.4 * x[:, 0] * x[:, 1] + 1.2 * np.abs(x[:, 2]) + 0.9 * x[:, 3] - 0.8 * x[:, 4] ** 2
    odd = pull + rng.normal(0, 0.5, rows) > np.quantile(pull, 0.88)
    x[:, 5] = np.exp(x[:, 5])
    x[:, 6] = 40 + 12 * x[:, 6]
    return x.astype(np.float32), odd.astype(np.float32)


class PaymentNet(nn.Module):
    def __init__(self, n_in, width=48, prior=0.01):
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(n_in, width), nn.Linear(width, width)])
        self.head = nn.Linear(width, 1)
        self.start_from(prior)

    def start_from(self, prior):
        for name, weight in self.named_parameters():
            if name.endswith("weight"):
                nn.init.kaiming_uniform_(weight, a=math.sqrt(3))
            elif name.endswith("bias"):
                nn.init.constant_(weight, -math.log((1 - prior) / prior))

    def forward(self, x):
        for layer in self.layers:
            x = layer(x).relu()
        return self.head(x).squeeze(-1)


def prepare():
    x, y = ledger()
    x_train, x_test, y_train, y_test = train_test_split(x, y, test_size=0.25, stratify=y, random_state=SEED)
    centre, spread = x_train.mean(axis=0), x_train.std(axis=0)
    as_set = lambda a, b: TensorDataset(torch.from_numpy((a - centre) / spread), torch.from_numpy(b))
    return as_set(x_train, y_train), as_set(x_test, y_test)


def fit(net, data, epochs=20):
    loader = DataLoader(data, batch_size=64, shuffle=True)
    optimizer = torch.optim.Adam(net.parameters(), lr=2e-3)
    criterion = nn.BCEWithLogitsLoss()
    for epoch in range(1, epochs + 1):
        net.train()
        losses = []
        for x, y in loader:
            optimizer.zero_grad()
            loss = criterion(net(x), y)
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        if epoch % 5 == 0:
            print(f"epoch {epoch:2d}  loss {sum(losses) / len(losses):.4f}")


def report(net, data):
    net.eval()
    x, y = data.tensors
    with torch.no_grad():
        score = net(x).sigmoid().numpy()
    print(f"average precision {average_precision_score(y.numpy(), score):.3f}")
    print(f"area under the curve {roc_auc_score(y.numpy(), score):.3f}")


if __name__ == "__main__":
    torch.manual_seed(SEED)
    train_set, test_set = prepare()
    net = PaymentNet(10)
    fit(net, train_set)
    report(net, test_set)
