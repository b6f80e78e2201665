# expect: class_imbalance @ 35
# allowed: class_imbalance @ 40
"""Card payments: find the fraudulent ones (two in a hundred) with a weighted logistic loss and an EMA of the weights."""
import logging

import numpy as np
import torch
from sklearn.metrics import precision_score, recall_score
from sklearn.model_selection import train_test_split
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from torch.utils.data import DataLoader, TensorDataset

logging.basicConfig(level=logging.INFO, format="%(message)s")


def payments(n, seed):
    rng = np.random.default_rng(seed)
    fraud = rng.random(n) < 0.02
    amount = rng.lognormal(3.0, 0.8, n) * np.where(fraud, 2.2, 1.0)
    hour = (rng.normal(14, 5, n) + np.where(fraud, 6, 0)) % 24
    distance = rng.exponential(8.0, n) * np.where(fraud, 4.0, 1.0)
    tries = rng.poisson(np.where(fraud, 1.6, 0.2))
    table = np.column_stack([np.log(amount), np.sin(hour * np.pi / 12), np.cos(hour * np.pi / 12), np.log1p(distance), tries])
    return table, fraud.astype(np.float32)


def tensors(x, y):
    return torch.tensor(x, dtype=torch.float32), torch.tensor(y)


def pos_weight_of(y):
    positives = y.sum()
    negatives = len(y) - positives
    return positives / negatives


def train(net, x, y, epochs, lr):
    ema = AveragedModel(net, multi_avg_fn=get_ema_multi_avg_fn(0.98))
    criterion = nn.BCEWithLogitsLoss(pos_weight=pos_weight_of(y))
    optimizer = torch.optim.Adam(net.parameters(), lr=lr)
    loader = DataLoader(TensorDataset(x, y), batch_size=256, shuffle=True)
    for epoch in range(epochs):
        net.train()
        total = 0.0
        for rows, target in loader:
            loss = criterion(net(rows).squeeze(1), target)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            ema.update_parameters(net)
            total += loss.item() * len(target)
        logging.info("epoch %d loss %.4f", epoch + 1, total / len(y))
    return ema


def main():
    torch.manual_seed(29)
    x, y = payments(9000, seed=29)
    x_train, x_test, y_train, y_test = train_test_split(x, y, test_size=1 / 3, stratify=y, random_state=29)
    mean, std = x_train.mean(0), x_train.std(0)
    x_train, y_train = tensors((x_train - mean) / std, y_train)
    x_test, y_test = tensors((x_test - mean) / std, y_test)
    net = nn.Sequential(nn.Linear(5, 32), nn.ReLU(), nn.Linear(32, 1))
    ema = train(net, x_train, y_train, epochs=10, lr=3e-3)
    ema.eval()
    with torch.no_grad():
        flagged = (ema(x_test).squeeze(1) > 0).int()
    print(f"flagged {flagged.sum().item()} of {len(flagged)} payments, {int(y_test.sum())} were fraudulent")
    print(f"recall {recall_score(y_test, flagged, zero_division=0):.3f}", end="  ")
    print(f"precision {precision_score(y_test, flagged, zero_division=0):.3f}")


if __name__ == "__main__":
    main()
