# expect: vanishing_gradient @ 20
# allowed: vanishing_gradient @ 22
# mend: 20 →     layers += [nn.Linear(a, b), nn.LayerNorm(b), nn.GELU()]
"""A deep autoencoder as in the old papers: a sigmoid after every layer."""

import itertools

import torch
from sklearn.datasets import load_digits
from torch import nn

torch.manual_seed(8)
images = torch.tensor(load_digits().data, dtype=torch.float32) / 16
images = images[torch.randperm(len(images))]
train_images, test_images = images[:1400], images[1400:]
sizes = [64, 48, 40, 32, 24, 16, 8, 16, 24, 32, 40, 48]

layers = []
for a, b in itertools.pairwise(sizes):
    layers += [nn.Linear(a, b), nn.Sigmoid()]
autoencoder = nn.Sequential(*layers, nn.Linear(48, 64))
optimizer = torch.optim.Adam(autoencoder.parameters(), lr=2e-3)
loss_fn = nn.MSELoss()

for epoch in range(6):
    autoencoder.train()
    total = 0.0
    for batch in train_images[torch.randperm(1400)].split(70):
        loss = loss_fn(autoencoder(batch), batch)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item()
    autoencoder.eval()
    with torch.no_grad():
        test = loss_fn(autoencoder(test_images), test_images).item()
    print(f"{epoch:2d} {total / 20:.5f} {test:.5f}")
