# expect: nothing
"""Wine, five folds; the table is brought to [0, 1] once, at the top."""

import numpy as np
import torch
from sklearn.datasets import load_wine
from sklearn.model_selection import StratifiedKFold
from sklearn.preprocessing import MinMaxScaler
from torch import nn, optim


def load_data():
    features, target = load_wine(return_X_y=True)
    return features.astype(np.float32), target


def build():
    return nn.Sequential(nn.Linear(13, 32), nn.ReLU(), nn.Linear(32, 3))


def fit(model, x, t, epochs=12):
    opt = optim.Adam(model.parameters(), lr=1e-2)
    criterion = nn.CrossEntropyLoss()
    model.train()
    for _ in range(epochs):
        for rows in torch.randperm(len(x)).split(16):
            opt.zero_grad()
            loss = criterion(model(x[rows]), t[rows])
            loss.backward()
            opt.step()
    return loss.item()


def run():
    x, t = load_data()
    accuracies = []
    folds = StratifiedKFold(n_splits=5, shuffle=True, random_state=1)
    for k, (train_idx, test_idx) in enumerate(folds.split(x, t)):
        torch.manual_seed(k)
        model = build()
        scaler = MinMaxScaler().fit(x[train_idx])
        last = fit(model, torch.from_numpy(scaler.transform(x[train_idx])), torch.from_numpy(t[train_idx]))
        model.eval()
        with torch.inference_mode():
            predicted = model(torch.from_numpy(scaler.transform(x[test_idx]))).argmax(dim=1).numpy()
        accuracies.append((predicted == t[test_idx]).mean())
        print(f"fold {k} loss {last:.3f} acc {accuracies[-1]:.3f}")
    print(f"mean acc {np.mean(accuracies):.3f} +/- {np.std(accuracies):.3f}")


if __name__ == "__main__":
    run()
