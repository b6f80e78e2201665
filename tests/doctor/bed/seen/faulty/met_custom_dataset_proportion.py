# expect: scaler_leakage @ 27
# A data set of windows that scales what it has read before it parts it.
import numpy as np
import torch
from sklearn.preprocessing import MinMaxScaler
from torch import nn
from torch.utils.data import DataLoader, Dataset


def make_series(n=1600, seed=1):
    rng = np.random.default_rng(seed)
    t = np.arange(n)
    level = 1 + t / 600
    return np.stack([level * np.sin(t / 9 + k) + 0.1 * rng.normal(size=n) for k in range(3)], 1)


class CustomDataset(Dataset):
    def __init__(self, window=24, proportion=0.8, period="train"):
        self.window, self.period, self.proportion = window, period, proportion
        self.rawdata, self.scaler = self.read_data()
        self.data = self.__normalize(self.rawdata)
        self.samples = self.__getsamples(self.data, proportion)

    def read_data(self):
        data = make_series()
        scaler = MinMaxScaler()
        scaler.fit(data)
        return data, scaler

    def __normalize(self, rawdata):
        return self.scaler.transform(rawdata) * 2 - 1

    def __getsamples(self, data, proportion):
        cut = int(len(data) * proportion)
        part = data[:cut] if self.period == "train" else data[cut:]
        return torch.tensor(part, dtype=torch.float32)

    def __len__(self):
        return len(self.samples) - self.window

    def __getitem__(self, i):
        return self.samples[i : i + self.window], self.samples[i + self.window]


train, test = CustomDataset(period="train"), CustomDataset(period="test")
torch.manual_seed(0)
model = nn.Sequential(nn.Flatten(), nn.Linear(72, 48), nn.GELU(), nn.Linear(48, 3))
opt = torch.optim.Adam(model.parameters(), lr=1e-3)
for epoch in range(6):
    model.train()
    for x, y in DataLoader(train, 64, shuffle=True):
        opt.zero_grad()
        loss = nn.functional.mse_loss(model(x), y)
        loss.backward()
        opt.step()
model.eval()
with torch.no_grad():
    errors = [nn.functional.l1_loss(model(x), y).item() for x, y in DataLoader(test, 256)]
print("mae", sum(errors) / len(errors))
