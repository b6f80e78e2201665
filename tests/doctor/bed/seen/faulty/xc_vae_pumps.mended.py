# expect: nothing
# Tabular VAE for anomaly scoring of pump readings (one row = one minute of one pump).
import numpy as np
import pandas as pd
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.preprocessing import StandardScaler
from torch.utils.data import DataLoader, TensorDataset

rng = np.random.default_rng(5)
torch.manual_seed(5)


def fake_readings(n):
    load = rng.beta(2, 2, n)
    power = 40 * load + rng.normal(0, 1.0, n) + 5
    flow = 12 * load + rng.normal(0, 0.4, n) + 1
    off = rng.random(n) < 0.004  # pump switched off: both meters read exactly zero
    df = pd.DataFrame({
        "power": np.where(off, 0.0, np.clip(power, 0.5, None)),
        "flow": np.where(off, 0.0, np.clip(flow, 0.1, None)),
        "temp": 20 + 30 * load + rng.normal(0, 2, n),
        "vib": np.exp(rng.normal(0, 0.3, n) + load),
    })
    return df


def featurize(df):
    out = df.copy()
    out["efficiency"] = (df["flow"] / df["power"].where(df["power"] > 0)).fillna(0.0)
    out["log_vib"] = np.log(df["vib"])
    return out.drop(columns="vib").to_numpy(np.float32)


class TabVAE(nn.Module):
    def __init__(self, d, hidden=32, z=3):
        super().__init__()
        self.enc = nn.Sequential(nn.Linear(d, hidden), nn.SiLU(), nn.Linear(hidden, 2 * z))
        self.dec = nn.Sequential(nn.Linear(z, hidden), nn.SiLU(), nn.Linear(hidden, d))

    def forward(self, x):
        mu, logvar = self.enc(x).chunk(2, dim=-1)
        z = mu + torch.randn_like(mu) * torch.exp(0.5 * logvar) if self.training else mu
        return self.dec(z), mu, logvar


def neg_elbo(model, x, beta=0.1):
    rec, mu, logvar = model(x)
    mse = F.mse_loss(rec, x, reduction="none").sum(1)
    kl = -0.5 * (1 + logvar - mu.pow(2) - logvar.exp()).sum(1)
    return mse + beta * kl


train_df, test_df = fake_readings(3000), fake_readings(800)
scaler = StandardScaler().fit(featurize(train_df))
X_train = torch.from_numpy(scaler.transform(featurize(train_df)))
X_test = torch.from_numpy(scaler.transform(featurize(test_df)))
loader = DataLoader(TensorDataset(X_train), batch_size=128, shuffle=True)

vae = TabVAE(X_train.shape[1])
opt = torch.optim.Adam(vae.parameters(), lr=3e-3)
for epoch in range(10):
    vae.train()
    seen, skipped, total = 0, 0, 0.0
    for (xb,) in loader:
        loss = neg_elbo(vae, xb).mean()
        if not torch.isfinite(loss):  # never step on a broken batch
            skipped += 1
            continue
        opt.zero_grad()
        loss.backward()
        opt.step()
        total += loss.item() * len(xb)
        seen += len(xb)
    print(f"epoch {epoch:02d}  -elbo {total / max(seen, 1):.4f}  rows used {seen}/{len(X_train)}  skipped batches {skipped}")

vae.eval()
with torch.no_grad():
    scores = neg_elbo(vae, X_test).numpy()
print(f"test score: median {np.nanmedian(scores):.3f}  p99 {np.nanpercentile(scores, 99):.3f}"
      f"  rows without a score {int(np.isnan(scores).sum())}")
