# expect: detached_graph @ 28
"""Per-column encoders whose outputs are stacked before the head."""

import numpy as np
import torch
from sklearn.datasets import load_wine
from sklearn.model_selection import train_test_split
from torch import nn

torch.manual_seed(0)
X, y = load_wine(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=1, stratify=y)
mu, sd = X_train.mean(0), X_train.std(0)
X_train = torch.tensor((X_train - mu) / sd, dtype=torch.float32)
X_test = torch.tensor((X_test - mu) / sd, dtype=torch.float32)
y_train, y_test = torch.tensor(y_train), torch.tensor(y_test)


class ColumnEncoder(nn.Module):
    def __init__(self, columns, width=6):
        super().__init__()
        self.parts = nn.ModuleList([nn.Linear(1, width) for _ in range(columns)])
        self.out = nn.Linear(columns * width, 3)

    def forward(self, x):
        pieces = []
        for i, part in enumerate(self.parts):
            pieces.append(torch.tanh(part(x[:, i : i + 1])).detach().numpy())
        stacked = torch.from_numpy(np.concatenate(pieces, axis=1))
        return self.out(stacked)


net = ColumnEncoder(13)
opt = torch.optim.Adam(net.parameters(), lr=0.01)
ce = nn.CrossEntropyLoss()
for it in range(60):
    opt.zero_grad()
    cost = ce(net(X_train), y_train)
    cost.backward()
    opt.step()
    if it % 20 == 0:
        print(it, cost.item())

with torch.no_grad():
    pred = net(X_test).argmax(dim=1)
print("test accuracy:", np.mean(pred.numpy() == y_test.numpy()))
