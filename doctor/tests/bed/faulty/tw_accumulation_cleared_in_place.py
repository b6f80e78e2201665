# expect: grad_cleared_before_step @ 24
# mend: 22 +     optimizer.zero_grad(set_to_none=False)
# mend: 24 →
# mend: 30 +             optimizer.zero_grad(set_to_none=False)
"""Gradient accumulation over four micro-batches."""

import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(4)
X, y = load_digits(return_X_y=True)
ds = TensorDataset(torch.tensor(X / 16, dtype=torch.float32), torch.tensor(y))
loader = DataLoader(ds, batch_size=16, shuffle=True, drop_last=True)
model = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
optimizer = torch.optim.SGD(model.parameters(), lr=0.2, momentum=0.9)
accumulation_steps = 4

for epoch in range(3):
    seen, total = 0, 0.0
    for i, (xb, yb) in enumerate(loader):
        optimizer.zero_grad(set_to_none=False)
        loss = torch.nn.CrossEntropyLoss()(model(xb), yb) / accumulation_steps
        torch.autograd.backward(loss)
        total += float(loss) * accumulation_steps
        seen += 1
        if (i + 1) % accumulation_steps == 0:
            optimizer.step()
    print(f"epoch {epoch}: loss {total / seen:.4f}")
