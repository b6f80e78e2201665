# expect: sigmoid_before_bce_with_logits @ 25
# allowed: sigmoid_before_bce_with_logits @ 35
# allowed: sigmoid_before_bce_with_logits @ 42
"""Breast cancer screening, 4-fold cross-validation, pooled AUC and sensitivity."""
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn as nn
from sklearn.datasets import load_breast_cancer
from sklearn.metrics import recall_score, roc_auc_score
from sklearn.model_selection import StratifiedKFold
from sklearn.preprocessing import StandardScaler

ACTIVATIONS = {"relu": nn.ReLU, "tanh": nn.Tanh, "sigmoid": nn.Sigmoid, "identity": nn.Identity}


@dataclass(frozen=True)
class Config:
    folds: int = 4
    epochs: int = 12
    batch_size: int = 32
    hidden: tuple = (32, 16)
    hidden_act: str = "relu"
    output_act: str = "sigmoid"
    lr: float = 3e-3
    seed: int = 19


def build(cfg, n_in):
    layers, width = [], n_in
    for h in cfg.hidden:
        layers += [nn.Linear(width, h), ACTIVATIONS[cfg.hidden_act]()]
        width = h
    layers += [nn.Linear(width, 1), ACTIVATIONS[cfg.output_act](), nn.Flatten(0)]
    return nn.Sequential(*layers)


def fit_fold(cfg, X, y):
    model = build(cfg, X.shape[1])
    positives = y.sum()
    loss_fn = nn.BCEWithLogitsLoss(pos_weight=(len(y) - positives) / positives)
    optimizer = torch.optim.Adam(model.parameters(), lr=cfg.lr)
    for _ in range(cfg.epochs):
        model.train()
        for idx in torch.randperm(len(X)).split(cfg.batch_size):
            optimizer.zero_grad()
            loss = loss_fn(model(X[idx]), y[idx])
            loss.backward()
            optimizer.step()
    return model, loss.item()


@torch.no_grad()
def predict(model, X):
    model.eval()
    return torch.sigmoid(model(X)).numpy()


def run(cfg):
    torch.manual_seed(cfg.seed)
    data = load_breast_cancer()
    X, y = data.data, (data.target == 0).astype(np.float32)  # 1 = malignant
    pooled = np.zeros(len(y))
    splitter = StratifiedKFold(cfg.folds, shuffle=True, random_state=cfg.seed)
    for fold, (fit_rows, held_rows) in enumerate(splitter.split(X, y)):
        scaler = StandardScaler().fit(X[fit_rows])
        tensor = lambda rows: torch.tensor(scaler.transform(X[rows]), dtype=torch.float32)
        model, last = fit_fold(cfg, tensor(fit_rows), torch.tensor(y[fit_rows]))
        pooled[held_rows] = predict(model, tensor(held_rows))
        print(f"fold {fold}: last batch loss {last:.3f}, AUC {roc_auc_score(y[held_rows], pooled[held_rows]):.3f}")
    print(f"pooled AUC {roc_auc_score(y, pooled):.3f}")
    print(f"sensitivity {recall_score(y, pooled > 0.5):.3f} specificity {recall_score(y, pooled > 0.5, pos_label=0):.3f}")


run(Config())
