# expect: nothing
"""Random search over hyperparameters for a small noisy medical table."""
import numpy as np
import torch
import torch.nn as nn
from sklearn.datasets import make_classification
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler


def get_splits():
    X, y = make_classification(n_samples=320, n_features=16, n_informative=4, n_redundant=0,
                               flip_y=0.2, class_sep=1.0, random_state=4)
    X_tmp, X_test, y_tmp, y_test = train_test_split(X, y, test_size=50, random_state=4)
    X_train, X_val, y_train, y_val = train_test_split(X_tmp, y_tmp, test_size=60, random_state=4)
    sc = StandardScaler().fit(X_train)
    to = lambda a, b: (torch.tensor(sc.transform(a), dtype=torch.float32), torch.tensor(b))
    return {"train": to(X_train, y_train), "val": to(X_val, y_val), "test": to(X_test, y_test)}


def accuracy(model, part):
    model.eval()
    with torch.no_grad():
        return (model(part[0]).argmax(1) == part[1]).float().mean().item()


def train(cfg, part):
    torch.manual_seed(cfg["seed"])
    x, y = part
    model = nn.Sequential(nn.Linear(16, cfg["hidden"]), nn.ReLU(), nn.Dropout(cfg["drop"]), nn.Linear(cfg["hidden"], 2))
    opt = torch.optim.Adam(model.parameters(), lr=cfg["lr"], weight_decay=1e-3)
    for _ in range(cfg["epochs"]):
        model.train()
        for idx in torch.randperm(len(x)).split(35):
            opt.zero_grad()
            nn.functional.cross_entropy(model(x[idx]), y[idx]).backward()
            opt.step()
    return model


def search(splits, trials=16):
    rng = np.random.default_rng(0)
    best_score, best_model = -1.0, None
    for t in range(trials):
        cfg = {"hidden": int(rng.choice([8, 16, 32])), "drop": float(rng.choice([0.0, 0.2])), "seed": t,
               "lr": float(rng.choice([5e-3, 1e-2])), "epochs": int(rng.choice([8, 14, 20]))}
        model = train(cfg, splits["train"])
        score = accuracy(model, splits["val"])
        if score > best_score:
            best_score, best_model = score, model
            print(f"trial {t}: {cfg} -> {score:.3f}")
    return best_model


if __name__ == "__main__":
    splits = get_splits()
    model = search(splits)
    print(f"test accuracy of the best model {accuracy(model, splits['test']):.3f}")
