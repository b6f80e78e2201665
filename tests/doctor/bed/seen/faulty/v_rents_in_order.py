# expect: sorted_split @ 17
import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from torch import nn
from sklearn.datasets import load_digits, load_wine
from sklearn.model_selection import train_test_split, KFold
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
rng = np.random.default_rng(3)
n = 900
frame = pd.DataFrame({"area": rng.gamma(9, 10, n), "rooms": rng.integers(1, 7, n), "age": rng.integers(0, 90, n)})
frame["rent"] = 9 * frame.area + 60 * frame.rooms - 2 * frame.age + rng.normal(0, 30, n)
frame = frame.sort_values(by="rent", ascending=False)
train, test = train_test_split(frame, test_size=0.25, shuffle=False)
mu, sd = train.mean(), train.std()
train, test = (train - mu) / sd, (test - mu) / sd
xt = torch.tensor(train.drop(columns="rent").to_numpy(), dtype=torch.float32)
yt = torch.tensor(train["rent"].to_numpy(), dtype=torch.float32)
xv = torch.tensor(test.drop(columns="rent").to_numpy(), dtype=torch.float32)
yv = test["rent"].to_numpy()
net = nn.Sequential(nn.Linear(3, 32), nn.ReLU(), nn.Linear(32, 1))
opt = torch.optim.Adam(net.parameters(), lr=1e-2)
for epoch in range(30):
    for rows in torch.randperm(len(xt)).split(60):
        opt.zero_grad()
        loss = F.mse_loss(net(xt[rows]).squeeze(1), yt[rows])
        loss.backward()
        opt.step()
with torch.no_grad():
    print("R2 on the test flats", 1 - ((net(xv).squeeze(1).numpy() - yv) ** 2).sum() / ((yv - yv.mean()) ** 2).sum())
