# expect: missing_eval @ 32
# allowed: missing_eval @ 33
# mend: 29 + model.eval()
"""A curve with dropout whose batches are read once, scored by NumPy."""
import numpy as np
import torch
import torch.nn as nn
from torch.utils.data import DataLoader, TensorDataset, random_split

torch.manual_seed(42)
x = torch.rand(1200, 1) * 6 - 3
y = torch.sin(x) + 0.1 * torch.randn(1200, 1)
tr, va = random_split(TensorDataset(x, y), [900, 300])
batches = list(DataLoader(tr, batch_size=50, shuffle=True))
asked = list(DataLoader(va, batch_size=50))

model = nn.Sequential(nn.Linear(1, 64), nn.ReLU(), nn.Dropout(0.3), nn.Linear(64, 1))
opt = torch.optim.RMSprop(model.parameters(), lr=1e-3)
for epoch in range(20):
    running = 0.0
    for x, y in batches:
        opt.zero_grad()
        loss = nn.functional.huber_loss(model(x), y)
        loss.backward()
        opt.step()
        running += loss.item()
    print(f"epoch {epoch + 1} huber {running / len(batches):.4f}")

errors = []
with torch.no_grad():
    for x, y in asked:
        errors.append(model(x).numpy() - y.numpy())
print(f"val rmse {np.sqrt(np.mean(np.concatenate(errors) ** 2)):.4f}")
