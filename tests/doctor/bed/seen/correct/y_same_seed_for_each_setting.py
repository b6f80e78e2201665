# expect: nothing
# looks suspicious: the seed is set again and again inside a loop: once per setting, so that all begin from
# the same weights and see the same batches; the epochs within go on drawing.
import random

import numpy as np
import torch
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def set_seed(seed):
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


X, y = load_breast_cancer(return_X_y=True)
X_train, X_val, y_train, y_val = train_test_split(X, y, test_size=0.3, random_state=0, stratify=y)
mean, std = X_train.mean(0), X_train.std(0)
train_data = TensorDataset(torch.tensor((X_train - mean) / std).float(), torch.tensor(y_train))
x_val, t_val = torch.tensor((X_val - mean) / std).float(), torch.tensor(y_val)

for dropout in (0.0, 0.2, 0.5):
    set_seed(2024)
    model = nn.Sequential(nn.Linear(30, 32), nn.ReLU(), nn.Dropout(dropout), nn.Linear(32, 2))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    loader = DataLoader(train_data, batch_size=32, shuffle=True)
    for _epoch in range(4):
        model.train()
        for xb, yb in loader:
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(model(xb), yb)
            loss.backward()
            optimizer.step()
    model.eval()
    with torch.no_grad():
        logits = model(x_val)
        val_loss = nn.functional.cross_entropy(logits, t_val).item()
        accuracy = (logits.argmax(1) == t_val).float().mean().item()
    print(f"dropout {dropout}: train {loss.item():.4f} validation {val_loss:.4f} accuracy {accuracy:.3f}")
