# expect: scaler_leakage @ 34
"""Tabular starter kernel: breast cancer table, hold-out rows kept as a second frame, DeepFM-like wide and deep net."""
import numpy as np
import pandas as pd
import torch
import torch.nn as nn
from sklearn.datasets import load_breast_cancer
from sklearn.preprocessing import StandardScaler

SEED = 2023
EPOCHS = 15


def read_frames():
    table = load_breast_cancer(as_frame=True).frame
    table = table.sample(frac=1, random_state=SEED).reset_index(drop=True)
    return table.iloc[:399].copy(), table.iloc[399:].copy()


def add_features(df):
    df["size_ratio"] = df["worst area"] / df["mean area"]
    df["shape_ratio"] = df["worst perimeter"] / df["mean perimeter"]
    df["log_area"] = np.log(df["mean area"])
    return df


def preprocess(train, test):
    train, test = add_features(train), add_features(test)
    cols = [c for c in train.columns if c != "target"]
    everything = pd.concat([train, test], ignore_index=True)
    missing = int(everything[cols].isna().sum().sum())
    print(f"{len(everything)} rows, {len(cols)} columns, {missing} missing values")
    scaler = StandardScaler()
    scaler.fit(everything[cols])
    X_train, X_test = (torch.tensor(scaler.transform(d[cols]), dtype=torch.float32) for d in (train, test))
    y_train, y_test = (torch.tensor(d["target"].to_numpy(), dtype=torch.float32) for d in (train, test))
    return X_train, y_train, X_test, y_test


class WideDeep(nn.Module):
    def __init__(self, n_in, hidden=24):
        super().__init__()
        self.wide = nn.Linear(n_in, 1)
        self.deep = nn.Sequential(nn.Linear(n_in, hidden), nn.BatchNorm1d(hidden), nn.ReLU(), nn.Dropout(0.3),
                                  nn.Linear(hidden, 1))

    def forward(self, x):
        return (self.wide(x) + self.deep(x)).squeeze(1)


def fit(model, X, y, batch_size=32):
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2, weight_decay=1e-2)
    per_epoch = len(X) // batch_size
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=EPOCHS * per_epoch)
    criterion = nn.BCEWithLogitsLoss()
    model.train()
    for epoch in range(EPOCHS):
        running = 0.0
        for idx in torch.randperm(len(X))[:per_epoch * batch_size].split(batch_size):
            optimizer.zero_grad()
            loss = criterion(model(X[idx]), y[idx])
            loss.backward()
            optimizer.step()
            scheduler.step()
            running += loss.item() / per_epoch
        if epoch % 5 == 4:
            print(f"epoch {epoch + 1:2d} loss {running:.4f} lr {scheduler.get_last_lr()[0]:.5f}")


def main():
    torch.manual_seed(SEED)
    X_train, y_train, X_test, y_test = preprocess(*read_frames())
    model = WideDeep(X_train.shape[1])
    fit(model, X_train, y_train)
    model.eval()
    with torch.no_grad():
        prob = torch.sigmoid(model(X_test))
    acc = ((prob > 0.5).float() == y_test).float().mean().item()
    brier = ((prob - y_test) ** 2).mean().item()
    print(f"hold-out accuracy {acc:.4f}  Brier {brier:.4f}")


if __name__ == "__main__":
    main()
