# expect: class_imbalance @ 41
"""Fraud among card payments: a day's table, a small net, a confusion table on the held-out rows."""
import numpy as np
import pandas as pd
import torch
from sklearn.metrics import balanced_accuracy_score, confusion_matrix
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

CONFIG = {"seed": 5, "epochs": 10, "batch": 128, "lr": 3e-3, "hidden": 24, "balance": True}
FEATURES = ["log_amount", "night", "distance", "tries", "new_shop", "account_age"]


def payments(n=6000, share=0.04, seed=5):
    rng = np.random.default_rng(seed)
    fraud = rng.random(n) < share
    return pd.DataFrame({
        "log_amount": rng.normal(3.2, 1.0, n) + 0.8 * fraud,
        "night": (rng.random(n) < np.where(fraud, 0.5, 0.25)).astype(float),
        "distance": rng.normal(1.0, 0.6, n) + 0.55 * fraud,
        "tries": 1.0 + rng.poisson(np.where(fraud, 0.7, 0.3)),
        "new_shop": (rng.random(n) < np.where(fraud, 0.6, 0.3)).astype(float),
        "account_age": rng.normal(5.0, 2.0, n) - 1.5 * fraud,
        "fraud": fraud.astype(int),
    })


def prepare(frame, seed):
    train, test = train_test_split(frame, test_size=0.3, stratify=frame["fraud"], random_state=seed)
    mean, std = train[FEATURES].mean(), train[FEATURES].std()
    scale = lambda part: torch.tensor(((part[FEATURES] - mean) / std).to_numpy(), dtype=torch.float32)
    label = lambda part: torch.tensor(part["fraud"].to_numpy())
    return TensorDataset(scale(train), label(train)), TensorDataset(scale(test), label(test))


def class_weight(labels, config):
    if not config["balance"]:
        return None
    counts = torch.bincount(labels, minlength=2).float()
    return 2 * counts / counts.sum()


def train(model, data, config):
    criterion = nn.CrossEntropyLoss(weight=class_weight(data.tensors[1], config))
    optimizer = torch.optim.Adam(model.parameters(), lr=config["lr"])
    loader = DataLoader(data, batch_size=config["batch"], shuffle=True)
    model.train()
    for epoch in range(config["epochs"]):
        total = 0.0
        for x, y in loader:
            optimizer.zero_grad()
            loss = criterion(model(x), y)
            loss.backward()
            optimizer.step()
            total += loss.item()
        if epoch % 5 == 4:
            print(f"epoch {epoch + 1}: loss {total / len(loader):.4f}")


@torch.no_grad()
def evaluate(model, data):
    model.eval()
    x, y = data.tensors
    guess = model(x).argmax(dim=1)
    print(confusion_matrix(y, guess))
    print(f"accuracy {(guess == y).float().mean():.3f}, balanced {balanced_accuracy_score(y, guess):.3f}")


if __name__ == "__main__":
    torch.manual_seed(CONFIG["seed"])
    train_data, test_data = prepare(payments(), CONFIG["seed"])
    net = nn.Sequential(nn.Linear(len(FEATURES), CONFIG["hidden"]), nn.ReLU(), nn.Linear(CONFIG["hidden"], 2))
    train(net, train_data, CONFIG)
    evaluate(net, test_data)
