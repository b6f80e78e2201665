# expect: detached_loss @ 37
# mend: 37 →
"""Training code carried over from old PyTorch, with Variable and .data."""

import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch import nn
from torch.autograd import Variable

torch.manual_seed(0)
X, y = load_digits(return_X_y=True)
X, y = torch.from_numpy(X / 16).float(), torch.from_numpy(y)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(64, 50)
        self.fc2 = nn.Linear(50, 10)

    def forward(self, x):
        x = F.relu(self.fc1(x))
        return F.log_softmax(self.fc2(x), dim=1)


model = Net()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.5)


def train(epoch):
    model.train()
    for batch_idx, idx in enumerate(torch.randperm(len(X)).split(64)):
        data, target = Variable(X[idx]), Variable(y[idx])
        optimizer.zero_grad()
        loss = F.nll_loss(model(data), target)
        loss = Variable(loss.data, requires_grad=True)
        loss.backward()
        optimizer.step()
        if batch_idx % 14 == 0:
            print(f"Train Epoch: {epoch} [{batch_idx * 64}/{len(X)}]\tLoss: {loss.item():.6f}")


for epoch in range(1, 4):
    train(epoch)
