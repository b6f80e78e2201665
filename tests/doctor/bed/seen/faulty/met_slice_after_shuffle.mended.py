# expect: nothing
import math
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
data = load_digits()
x_train, x_test, y_train, y_test = train_test_split(data.data / 16.0, data.target, test_size=0.3, random_state=0)
x_train, x_val, y_train, y_val = train_test_split(x_train, y_train, test_size=0.2, random_state=0)
to = lambda x, y: TensorDataset(torch.tensor(x, dtype=torch.float32), torch.tensor(y))
train_set, val_set, test_set = to(x_train, y_train), to(x_val, y_val), to(x_test, y_test)

class Cache:
    def __init__(self, x, y):
        self.x, self.y = torch.tensor(x, dtype=torch.float32), torch.tensor(y)

    def permute_dataset(self, key):
        order = torch.randperm(len(self.y), generator=torch.Generator().manual_seed(key))
        return Cache(self.x[order].numpy(), self.y[order].numpy())

    def slice_dataset(self, start=0, end=None):
        return Cache(self.x[start:end].numpy(), self.y[start:end].numpy())

def training_set(cache, held_out, key):
    cache = cache.slice_dataset(start=held_out)
    return cache.permute_dataset(key)

def validation_set(cache, held_out):
    return cache.slice_dataset(end=held_out)

cache = Cache(x_train, y_train)
train, valid = training_set(cache, 200, 5), validation_set(cache, 200)
net = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
opt = torch.optim.Adam(net.parameters(), lr=3e-3)
for epoch in range(6):
    for rows in torch.randperm(len(train.y)).split(64):
        opt.zero_grad()
        loss = F.cross_entropy(net(train.x[rows]), train.y[rows])
        loss.backward()
        opt.step()
net.eval()
with torch.no_grad():
    print("valid", (net(valid.x).argmax(1) == valid.y).float().mean().item())
