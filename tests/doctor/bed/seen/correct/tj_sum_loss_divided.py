# expect: nothing
"""Poisson counts per shop: a summed loss divided by the rows, and steps on accumulated micro batches."""
import numpy as np
import torch
from sklearn.model_selection import train_test_split
from torch import nn

torch.manual_seed(23)
rng = np.random.default_rng(23)
n = 1600
size, ads, rain = rng.gamma(3, 1, n), rng.uniform(0, 1, n), rng.binomial(1, 0.3, n)
visits = rng.poisson(np.exp(1.0 + 0.3 * size + 0.8 * ads - 0.5 * rain))
table = np.stack([size, ads, rain], 1)
x_train, x_test, y_train, y_test = train_test_split(table, visits, test_size=0.25, random_state=23)
mean, std = x_train.mean(0), x_train.std(0)
x_train = torch.tensor((x_train - mean) / std, dtype=torch.float32)
x_test = torch.tensor((x_test - mean) / std, dtype=torch.float32)
y_train = torch.tensor(y_train, dtype=torch.float32)
y_test = torch.tensor(y_test, dtype=torch.float32)

model = nn.Sequential(nn.Linear(3, 16), nn.Tanh(), nn.Linear(16, 1), nn.Flatten(0))
nn.init.constant_(model[2].bias, y_train.mean().log().item())
poisson = nn.PoissonNLLLoss(log_input=True, reduction="sum")
optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
MICRO = 32

for epoch in range(30):
    model.train()
    total = 0.0
    for batch in torch.randperm(len(x_train)).split(64):
        optimizer.zero_grad()
        for rows in batch.split(MICRO):
            loss = poisson(model(x_train[rows]), y_train[rows]) / len(batch)
            loss.backward()
            total += loss.item() * len(batch)
        nn.utils.clip_grad_norm_(model.parameters(), 5.0)
        optimizer.step()
    if epoch % 10 == 9:
        print(f"epoch {epoch + 1}  loss {total / len(x_train):.4f}")

model.eval()
with torch.no_grad():
    expected = model(x_test).exp()
deviance = 2 * (torch.xlogy(y_test, y_test / expected) - (y_test - expected)).mean().item()
flat = y_train.mean()
base = 2 * (torch.xlogy(y_test, y_test / flat) - (y_test - flat)).mean().item()
print(f"test deviance {deviance:.3f}, with the mean alone {base:.3f}")
