# expect: seed_reset_each_epoch @ 18
"""seed_everything() is called at the head of the function that trains an epoch."""

import random

import numpy as np
import torch
from torch import nn


def seed_everything(seed):
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


def train_one_epoch(model, optimizer, x, y):
    seed_everything(1234)
    model.train()
    for rows in torch.randperm(len(x)).split(25):
        loss = nn.functional.mse_loss(model(x[rows]), y[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return loss.item()


x = torch.randn(250, 4, generator=torch.Generator().manual_seed(0))
y = x.abs().sum(1, keepdim=True)
model = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Dropout(0.1), nn.Linear(16, 1))
optimizer = torch.optim.RMSprop(model.parameters(), lr=2e-3)
for epoch in range(6):
    print(epoch, train_one_epoch(model, optimizer, x, y))
