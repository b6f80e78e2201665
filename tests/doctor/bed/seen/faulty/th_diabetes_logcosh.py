# expect: target_broadcast @ 24
# allowed: target_broadcast @ 42
# allowed: target_broadcast @ 38
"""Diabetes progression, log-cosh objective, exponential moving average of the weights for prediction."""
import numpy as np
import pandas as pd
import torch
from sklearn.datasets import load_diabetes
from sklearn.metrics import mean_absolute_error, r2_score
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

SEED = 42
torch.manual_seed(SEED)

df = load_diabetes(as_frame=True, scaled=False).frame
df = df.sample(frac=1.0, random_state=SEED).reset_index(drop=True)
features = [c for c in df.columns if c != "target"]
train_df, test_df = df.iloc[:330], df.iloc[330:]

mean, std = train_df[features].mean(), train_df[features].std()
X_train = ((train_df[features] - mean) / std).to_numpy(np.float32)
X_test = ((test_df[features] - mean) / std).to_numpy(np.float32)
y_train = train_df[["target"]].to_numpy(np.float32)
y_mean, y_std = y_train.mean(), y_train.std()
y_test = test_df["target"].to_numpy(np.float32)

xt = torch.tensor(X_train)
yt = torch.tensor((y_train - y_mean) / y_std)


class Regressor(nn.Module):
    def __init__(self, n_in):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(n_in, 24), nn.Tanh(), nn.Linear(24, 1))

    def forward(self, x):
        return self.body(x).squeeze(-1)


def log_cosh(pred, target):
    diff = pred - target
    return (diff + nn.functional.softplus(-2.0 * diff) - np.log(2.0)).mean()


model = Regressor(len(features))
ema = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(0.98))
opt = torch.optim.Adam(model.parameters(), lr=3e-3, weight_decay=1e-3)

for epoch in range(30):
    model.train()
    order = torch.randperm(len(xt))
    epoch_loss = 0.0
    for chunk in order.split(32):
        opt.zero_grad()
        loss = log_cosh(model(xt[chunk]), yt[chunk])
        loss.backward()
        opt.step()
        ema.update_parameters(model)
        epoch_loss += loss.item() * len(chunk)
    if (epoch + 1) % 10 == 0:
        print(f"[{epoch + 1:02d}] loss {epoch_loss / len(xt):.4f}")

ema.eval()
with torch.no_grad():
    pred = ema(torch.tensor(X_test)).numpy() * y_std + y_mean
print(f"MAE {mean_absolute_error(y_test, pred):.2f}  R2 {r2_score(y_test, pred):.3f}")
