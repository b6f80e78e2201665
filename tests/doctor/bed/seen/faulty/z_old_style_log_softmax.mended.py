# expect: nothing
# mends: z_old_style_log_softmax.py
"""Iris with log_softmax and nll_loss, as old examples have it."""

import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_iris
from sklearn.model_selection import train_test_split

torch.manual_seed(6)
X, y = load_iris(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.3, random_state=2, stratify=y)
m, s = X_train.mean(axis=0), X_train.std(axis=0)
X_train, X_test = torch.FloatTensor((X_train - m) / s), torch.FloatTensor((X_test - m) / s)
y_train, y_test = torch.LongTensor(y_train), torch.LongTensor(y_test)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(4, 20)
        self.fc2 = nn.Linear(20, 3)

    def forward(self, x):
        x = F.relu(self.fc1(x))
        x = self.fc2(x)
        return F.log_softmax(x, dim=1)


net = Net()
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for epoch in range(30):
    optimizer.zero_grad()
    out = net(X_train)
    loss = F.nll_loss(out, y_train)
    loss.backward()
    optimizer.step()
    if epoch % 10 == 0:
        print("Epoch", epoch, "Loss", loss.item())

net.eval()
with torch.no_grad():
    _, predicted = torch.max(net(X_test), 1)
print("Accuracy", (predicted == y_test).sum().item() / len(y_test))
