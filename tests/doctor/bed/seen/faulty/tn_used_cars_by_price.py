# expect: sorted_split @ 24
"""Used cars, a list of records in the order of their price."""
import random

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

random.seed(5)
torch.manual_seed(5)


def record():
    km, age, power = random.uniform(0, 200), random.randint(0, 15), random.gauss(110, 30)
    return {"km": km, "age": age, "power": power, "price": 30 - 0.05 * km - 0.9 * age + 0.1 * power + random.gauss(0, 1)}


cars = sorted((record() for _ in range(1000)), key=lambda c: c["price"])
names = ["km", "age", "power"]


split = 800
train, test = cars[:split], cars[split:]
mean = np.mean([[c[k] for k in names] for c in train], axis=0)
std = np.std([[c[k] for k in names] for c in train], axis=0)


def inputs(part):
    return torch.tensor((np.array([[c[k] for k in names] for c in part]) - mean) / std, dtype=torch.float32)


def prices(part):
    return torch.tensor([c["price"] for c in part])


loader = DataLoader(TensorDataset(inputs(train), prices(train)), batch_size=40, shuffle=True)
net = nn.Sequential(nn.Linear(3, 32), nn.Tanh(), nn.Linear(32, 1))
opt = torch.optim.Adam(net.parameters(), lr=1e-2)
for epoch in range(15):
    for x, y in loader:
        opt.zero_grad()
        loss = nn.functional.l1_loss(net(x).flatten(), y)
        loss.backward()
        opt.step()
net.eval()
with torch.inference_mode():
    said = net(inputs(test)).flatten().tolist()
error = sum(abs(s - c["price"]) for s, c in zip(said, test)) / len(test)
print(f"mean error on test cars {error:.2f}")
