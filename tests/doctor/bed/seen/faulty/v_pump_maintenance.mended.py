# expect: nothing
"""Pump maintenance: normal, worn or about to fail, from eight sensor readings."""
import argparse
import logging

import numpy as np
import torch
import torch.nn as nn
from sklearn.metrics import balanced_accuracy_score, recall_score
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch.utils.data import DataLoader, TensorDataset

logging.basicConfig(level=logging.INFO, format="%(message)s")
log = logging.getLogger("pumps")
STATES = ("normal", "worn", "failing")


def simulate(n, seed):
    """Vibration, temperatures, pressures and current; failing pumps run hot and shake a little more."""
    rng = np.random.default_rng(seed)
    state = rng.choice(3, size=n, p=[0.67, 0.30, 0.03])
    readings = rng.normal(size=(n, 8))
    readings[:, 0] += np.array([0.0, 2.2, 0.6])[state]
    readings[:, 1] += np.array([0.0, 1.5, 0.3])[state]
    readings[:, 2] += np.array([0.0, 0.0, 1.3])[state]
    readings[:, 5] -= np.array([0.0, 0.3, 0.9])[state]
    return readings * np.array([2, 8, 9, 1, 0.3, 4, 12, 1]) + np.array([5, 60, 75, 3, 1, 20, 90, 2]), state


def get_args():
    p = argparse.ArgumentParser(formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    p.add_argument("--rows", type=int, default=3000)
    p.add_argument("--epochs", type=int, default=10)
    p.add_argument("--hidden", type=int, default=16)
    p.add_argument("--lr", type=float, default=3e-3)
    p.add_argument("--weight-decay", type=float, default=1e-3)
    return p.parse_args()


def main(args):
    torch.manual_seed(9)
    X, y = simulate(args.rows, seed=9)
    X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.3, stratify=y, random_state=9)
    scaler = StandardScaler().fit(X_train)
    X_train = torch.tensor(scaler.transform(X_train), dtype=torch.float32)
    X_test = torch.tensor(scaler.transform(X_test), dtype=torch.float32)
    loader = DataLoader(TensorDataset(X_train, torch.tensor(y_train)), batch_size=64, shuffle=True)

    counts = np.bincount(y_train, minlength=len(STATES))
    log.info("training rows: %s", dict(zip(STATES, counts.tolist())))
    class_weights = torch.tensor(counts.sum() / (len(STATES) * counts), dtype=torch.float32)

    net = nn.Sequential(nn.Linear(8, args.hidden), nn.ReLU(), nn.Linear(args.hidden, len(STATES)))
    criterion = nn.CrossEntropyLoss(weight=class_weights)
    optimizer = torch.optim.AdamW(net.parameters(), lr=args.lr, weight_decay=args.weight_decay)
    for epoch in range(args.epochs):
        net.train()
        total = 0.0
        for readings, state in loader:
            loss = criterion(net(readings), state)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item()
        if epoch % 3 == 0:
            log.info("epoch %2d loss %.3f", epoch, total / len(loader))

    net.eval()
    with torch.no_grad():
        called = net(X_test).argmax(dim=1).numpy()
    for name, recall in zip(STATES, recall_score(y_test, called, average=None)):
        log.info("recall %-8s %.2f", name, recall)
    log.info("balanced accuracy %.3f", balanced_accuracy_score(y_test, called))


if __name__ == "__main__":
    main(get_args())
