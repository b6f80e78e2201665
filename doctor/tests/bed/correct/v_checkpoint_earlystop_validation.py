# expect: nothing
"""Abalone-like regression: early stopping on a validation part, checkpoint saved and reloaded, one final test."""
import os
import tempfile
import numpy as np
import pandas as pd
import torch
from sklearn.compose import ColumnTransformer
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from torch import nn


def frame(n=1200, seed=0):
    r = np.random.default_rng(seed)
    df = pd.DataFrame({"sex": r.choice(list("MFI"), n), "len": r.normal(0.5, 0.1, n), "weight": r.gamma(3, 0.3, n)})
    df["rings"] = 10 * df.len + 3 * np.log1p(df.weight) + (df.sex == "I") * -2.0 + r.normal(0, 0.4, n)
    return df.sort_values("rings")


def split(df):
    rest, test = train_test_split(df, test_size=0.2, random_state=1)
    train, val = train_test_split(rest, test_size=0.2, random_state=1)
    return train, val, test


def main():
    torch.manual_seed(0)
    train, val, test = split(frame())
    prep = ColumnTransformer([("num", StandardScaler(), ["len", "weight"]), ("cat", OneHotEncoder(), ["sex"])])
    prep.fit(train)
    m, s = train.rings.mean(), train.rings.std()
    f = lambda d: (torch.tensor(prep.transform(d), dtype=torch.float32),
                   torch.tensor(((d.rings - m) / s).to_numpy(), dtype=torch.float32).unsqueeze(1))
    (x, y), (xv, yv), (xt, yt) = f(train), f(val), f(test)
    net = nn.Sequential(nn.Linear(5, 32), nn.ReLU(), nn.Linear(32, 1))
    opt = torch.optim.Adam(net.parameters(), lr=5e-3)
    mse = nn.MSELoss()
    with tempfile.TemporaryDirectory() as tmp:
        path = os.path.join(tmp, "best.pt")
        best, bad = float("inf"), 0
        for epoch in range(60):
            net.train()
            for idx in torch.randperm(len(x)).split(48):
                opt.zero_grad()
                mse(net(x[idx]), y[idx]).backward()
                opt.step()
            net.eval()
            with torch.no_grad():
                v = mse(net(xv), yv).item()
            if v < best:
                best, bad = v, 0
                torch.save({"model": net.state_dict(), "opt": opt.state_dict(), "epoch": epoch}, path)
            else:
                bad += 1
                if bad == 8:
                    break
        ckpt = torch.load(path)
    net.load_state_dict(ckpt["model"])
    net.eval()
    with torch.no_grad():
        r2 = 1 - mse(net(xt), yt) / yt.var()
    print(f"best epoch {ckpt['epoch']} val mse {best:.4f} test R2 {r2:.3f}")


if __name__ == "__main__":
    main()
