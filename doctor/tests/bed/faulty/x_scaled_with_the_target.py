# expect: bad_label_values @ 24
# mend: 14 + mean[-1], std[-1] = 0.0, 1.0
"""Breast cancer as a table: rows of a frame, the target in the last column, scaled batch by batch."""

import torch
from sklearn.datasets import load_breast_cancer
from torch import nn
from torch.utils.data import DataLoader

torch.manual_seed(12)
frame = load_breast_cancer(as_frame=True).frame.sample(frac=1.0, random_state=12)
table = torch.tensor(frame.to_numpy(), dtype=torch.float32)
train, test = table[:430], table[430:]
mean, std = train.mean(0), train.std(0)

loader = DataLoader(train, batch_size=32, shuffle=True)
model = nn.Sequential(nn.Linear(30, 16), nn.ReLU(), nn.Linear(16, 1))
criterion = nn.BCEWithLogitsLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)

for epoch in range(8):
    running = 0.0
    for batch in loader:
        batch = (batch - mean) / std
        optimizer.zero_grad()
        loss = criterion(model(batch[:, :-1]), batch[:, -1:])
        loss.backward()
        optimizer.step()
        running += loss.item()
    if epoch % 2 == 1:
        print(f"epoch {epoch + 1} loss {running / len(loader):.4f}")
with torch.no_grad():
    test = (test - mean) / std
    print("test accuracy", ((model(test[:, :-1]) > 0) == (test[:, -1:] > 0)).float().mean().item())
