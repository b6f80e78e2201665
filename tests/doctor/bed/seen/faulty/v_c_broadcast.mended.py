# expect: nothing
"""Concrete-strength regression with a custom Dataset; prints R2 on the held-out quarter."""
import numpy as np
import pandas as pd
import torch
from sklearn.metrics import r2_score
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch import nn
from torch.utils.data import DataLoader, Dataset

np.random.seed(100)
torch.manual_seed(100)
df = pd.DataFrame(np.random.uniform(0, 1, (1000, 5)), columns=["cement", "water", "slag", "ash", "age"])
df["strength"] = 40 * df.cement - 30 * df.water + 10 * np.sqrt(df.age) + 8 * df.slag * df.ash + np.random.randn(1000) * 2
train, test = train_test_split(df, test_size=0.25, random_state=100)
cols = list(df.columns[:-1])
xs, ys = StandardScaler().fit(train[cols].values), StandardScaler().fit(train[["strength"]].values)


class ConcreteDataset(Dataset):
    def __init__(self, frame):
        self.x = xs.transform(frame[cols].values).astype(np.float32)
        self.y = ys.transform(frame[["strength"]].values).astype(np.float32).ravel()

    def __len__(self):
        return len(self.x)

    def __getitem__(self, i):
        return self.x[i], self.y[i]


model = nn.Sequential(nn.Linear(5, 32), nn.ReLU(), nn.Linear(32, 1))
opt = torch.optim.Adam(model.parameters(), lr=5e-3)
train_loader = DataLoader(ConcreteDataset(train), batch_size=32, shuffle=True)


def loss_of(out, target):
    diff = out.squeeze(-1) - target
    return (diff ** 2).mean()


for epoch in range(15):
    model.train()
    acc = 0.0
    for x, y in train_loader:
        opt.zero_grad()
        loss = loss_of(model(x), y)
        loss.backward()
        opt.step()
        acc += loss.item()
    if epoch % 5 == 4:
        print(f"epoch {epoch + 1} train {acc / len(train_loader):.4f}")

model.eval()
ds = ConcreteDataset(test)
with torch.no_grad():
    pred = model(torch.from_numpy(ds.x)).squeeze(1).numpy()
print("R2:", round(r2_score(ds.y, pred), 3))
