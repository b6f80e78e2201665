# expect: weight_decay_too_high @ 15
"""Adam's weight_decay set to one."""

import torch
from sklearn.datasets import make_classification
from sklearn.model_selection import train_test_split
from torch import nn

torch.manual_seed(4)
X, y = make_classification(1000, 12, n_informative=8, n_classes=4, random_state=4)
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.2, random_state=4)
X_train, X_test = torch.tensor(X_train).float(), torch.tensor(X_test).float()
y_train, y_test = torch.tensor(y_train), torch.tensor(y_test)
net = nn.Sequential(nn.Linear(12, 64), nn.Tanh(), nn.Linear(64, 64), nn.Tanh(), nn.Linear(64, 4))
optimizer = torch.optim.Adam(net.parameters(), lr=3e-3, weight_decay=1.0)
criterion = nn.CrossEntropyLoss()
for epoch in range(10):
    net.train()
    for rows in torch.randperm(800).split(40):
        optimizer.zero_grad()
        loss = criterion(net(X_train[rows]), y_train[rows])
        loss.backward()
        optimizer.step()
    if epoch % 3 == 0:
        net.eval()
        with torch.no_grad():
            acc = (net(X_test).argmax(1) == y_test).float().mean().item()
        print(epoch, f"{loss.item():.4f} {acc:.3f}")
