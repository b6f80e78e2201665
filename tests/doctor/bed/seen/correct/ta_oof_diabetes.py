# expect: nothing
"""Kaggle-style out-of-fold regression: 5 folds, scaler inside the fold, early stopping on a slice of the fold's training rows."""
import copy

import numpy as np
import torch
import torch.nn as nn
from sklearn.datasets import load_diabetes
from sklearn.model_selection import KFold, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import QuantileTransformer, StandardScaler


class CFG:
    n_folds = 5
    seed = 2023
    max_epochs = 60
    patience = 8
    lr = 5e-3
    batch_size = 32


torch.manual_seed(CFG.seed)
X, y = load_diabetes(return_X_y=True, scaled=False)
y = y.astype(np.float32)


class Net(nn.Module):
    def __init__(self, n_in):
        super().__init__()
        self.seq = nn.Sequential(
            nn.Linear(n_in, 24), nn.BatchNorm1d(24), nn.PReLU(), nn.Dropout(0.15), nn.Linear(24, 1)
        )

    def forward(self, x):
        return self.seq(x).squeeze(-1)


def valid_fn(model, x, y):
    model.eval()
    with torch.no_grad():
        return nn.functional.mse_loss(model(x), y).item()


def train_fold(x_fit, y_fit, x_stop, y_stop):
    model = Net(x_fit.shape[1])
    optimizer = torch.optim.AdamW(model.parameters(), lr=CFG.lr, weight_decay=1e-2)
    scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, factor=0.5, patience=3)
    best, best_state, stale = np.inf, None, 0
    for epoch in range(CFG.max_epochs):
        model.train()
        for idx in torch.randperm(len(x_fit)).split(CFG.batch_size):
            optimizer.zero_grad()
            loss = nn.functional.mse_loss(model(x_fit[idx]), y_fit[idx])
            loss.backward()
            optimizer.step()
        score = valid_fn(model, x_stop, y_stop)
        scheduler.step(score)
        if score < best - 1e-4:
            best, best_state, stale = score, copy.deepcopy(model.state_dict()), 0
        else:
            stale += 1
            if stale >= CFG.patience:
                break
    model.load_state_dict(best_state)
    return model, epoch + 1


oof = np.zeros(len(y), dtype=np.float32)
for fold, (trn, val) in enumerate(KFold(CFG.n_folds, shuffle=True, random_state=CFG.seed).split(X)):
    fit_rows, stop_rows = train_test_split(trn, test_size=0.2, random_state=CFG.seed + fold)
    prep = make_pipeline(QuantileTransformer(n_quantiles=50, output_distribution="uniform"), StandardScaler())
    prep.fit(X[fit_rows])
    centre, scale = y[fit_rows].mean(), y[fit_rows].std()
    as_x = lambda rows: torch.tensor(prep.transform(X[rows]), dtype=torch.float32)
    as_y = lambda rows: torch.tensor((y[rows] - centre) / scale)
    model, epochs = train_fold(as_x(fit_rows), as_y(fit_rows), as_x(stop_rows), as_y(stop_rows))
    model.eval()
    with torch.no_grad():
        oof[val] = model(as_x(val)).numpy() * scale + centre
    print(f"fold {fold}: {epochs} epochs, RMSE {np.sqrt(np.mean((oof[val] - y[val]) ** 2)):.2f}")
print(f"OOF RMSE {np.sqrt(np.mean((oof - y) ** 2)):.2f} against {y.std():.2f} for the mean")
