# expect: seed_reset_each_epoch @ 18
# allowed: seed_reset_each_epoch @ 30
"""The order of the rows is 'reproducible': every epoch draws it from a generator seeded anew."""

import torch
import torch.nn.functional as F
from sklearn.datasets import load_diabetes

features, target = load_diabetes(return_X_y=True)
features = torch.tensor(features, dtype=torch.float32) * 20
target = torch.tensor((target - 152) / 77, dtype=torch.float32)
torch.manual_seed(0)
rows = torch.randperm(len(features))
train, test = rows[:360], rows[360:]


def batches(indices, size):
    g = torch.Generator().manual_seed(1234)
    shuffled = indices[torch.randperm(len(indices), generator=g)]
    for start in range(0, len(shuffled), size):
        yield shuffled[start : start + size]


net = torch.nn.Sequential(
    torch.nn.Linear(10, 32), torch.nn.ReLU(), torch.nn.Linear(32, 1), torch.nn.Flatten(0)
)
opt = torch.optim.SGD(net.parameters(), lr=0.01, momentum=0.9)
for epoch in range(12):
    running = 0.0
    for idx in batches(train, 24):
        loss = F.mse_loss(net(features[idx]), target[idx])
        opt.zero_grad()
        loss.backward()
        opt.step()
        running += loss.item() * len(idx)
    if epoch % 4 == 3:
        print(f"epoch {epoch + 1} mse {running / len(train):.4f}")
with torch.no_grad():
    print(f"test mse {F.mse_loss(net(features[test]), target[test]):.4f}")
