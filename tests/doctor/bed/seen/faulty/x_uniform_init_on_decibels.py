# expect: dead_relu @ 16
"""Which machine hums? Spectra in decibels (all below zero) and a net with its own initialisation."""

import torch
import torch.nn as nn

torch.manual_seed(40)
n, bands, machines = 600, 24, 4
profile = -6 * torch.rand(machines, bands) - 1
machine = torch.randint(machines, (n,))
spectrum = (profile[machine] + 0.8 * torch.randn(n, bands)).clamp(max=-0.01)


def init_weights(m):
    if isinstance(m, nn.Linear):
        torch.nn.init.uniform_(m.weight)


model = nn.Sequential(nn.Linear(bands, 32), nn.ReLU(), nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, machines))
model.apply(init_weights)
loss_fn = nn.CrossEntropyLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)

for epoch in range(6):
    total, right = 0.0, 0
    for rows in torch.randperm(n).split(30):
        logits = model(spectrum[rows])
        loss = loss_fn(logits, machine[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item() * len(rows)
        right += (logits.argmax(1) == machine[rows]).sum().item()
    print(f"epoch {epoch} loss {total / n:.4f} accuracy {right / n:.3f}")
