# expect: sorted_split @ 32
# mend: 32 →     df = df.sample(frac=1.0, random_state=0).reset_index(drop=True)
import numpy as np
import pandas as pd
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset
from sklearn.model_selection import train_test_split, GroupShuffleSplit
from sklearn.preprocessing import StandardScaler

def read(n=900, seed=3):
    rng = np.random.default_rng(seed)
    df = pd.DataFrame({
        "income": rng.gamma(3.0, 900.0, n), "age": rng.integers(18, 80, n).astype(float), "visits": rng.poisson(4, n).astype(float),
        "city": rng.choice(["recife", "natal", "belem", "manaus"], n), "plan": rng.choice(["a", "b", "c"], n),
        "shop": rng.integers(0, 60, n), "day": pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 365, n), unit="D"),
    })
    z = 0.0006 * df["income"] - 0.03 * df["age"] + 0.2 * df["visits"] + df["plan"].map({"a": -0.6, "b": 0.0, "c": 0.9}) + (df["shop"] % 7) * 0.2 - 1.6
    df["churn"] = (z + rng.normal(0, 0.6, n) > np.median(z)).astype(int)
    df.loc[rng.random(n) < 0.08, "age"] = np.nan
    return df

NUM = ["income", "age", "visits"]

def matrix(frame):
    return torch.tensor(frame.to_numpy(dtype=np.float32))

def main():
    torch.manual_seed(1)
    df = read()
    df = pd.get_dummies(df, columns=["city", "plan"], dtype=float)
    df = df.sort_values("churn")
    cut = int(0.75 * len(df))
    train, test = df.iloc[:cut].copy(), df.iloc[cut:].copy()
    mean, std = train[NUM].mean(), train[NUM].std()
    for part in (train, test):
        part[NUM] = ((part[NUM] - mean) / std).fillna(0.0)
    cols = NUM + [c for c in train.columns if c.startswith(("city_", "plan_"))]
    x_train, x_test = matrix(train[cols]), matrix(test[cols])
    y_train, y_test = torch.tensor(train["churn"].to_numpy()).float(), torch.tensor(test["churn"].to_numpy()).float()
    loader = DataLoader(TensorDataset(x_train, y_train), batch_size=64, shuffle=True)
    net = nn.Sequential(nn.Linear(x_train.shape[1], 32), nn.ReLU(), nn.Linear(32, 1))
    opt = torch.optim.Adam(net.parameters(), lr=5e-3)
    lossf = nn.BCEWithLogitsLoss()
    for epoch in range(12):
        net.train()
        total = 0.0
        for x, y in loader:
            loss = lossf(net(x).squeeze(1), y)
            opt.zero_grad()
            loss.backward()
            opt.step()
            total += loss.item() * len(x)
        print(epoch, total / len(x_train))
    net.eval()
    with torch.no_grad():
        said = net(x_test).squeeze(1) > 0
    print("test accuracy", (said == y_test.bool()).float().mean().item())

main()
