# expect: nothing
import math
import numpy as np
import torch
import torch.nn.functional as F
from sklearn.datasets import load_wine
from sklearn.model_selection import train_test_split
torch.manual_seed(0)
X, Y = load_wine(return_X_y=True)
tr, te = train_test_split(np.arange(len(X)), test_size=0.3, random_state=0, stratify=Y)
mean, std = X[tr].mean(0), X[tr].std(0)
X = (X - mean) / std
x_tr, y_tr = torch.tensor(X[tr], dtype=torch.float32), torch.tensor(Y[tr])
x_te, y_te = torch.tensor(X[te], dtype=torch.float32), torch.tensor(Y[te])
def init(n_in, n_out):
    return (torch.randn(n_in, n_out) / math.sqrt(n_in)).requires_grad_()
class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.W1, self.b1 = torch.nn.Parameter(init(13, 24).detach()), torch.nn.Parameter(torch.zeros(24))
        self.W2, self.b2 = torch.nn.Parameter(init(24, 3).detach()), torch.nn.Parameter(torch.zeros(3))
    def forward(self, x, train=False):
        W1, b1, W2, b2 = self.W1, self.b1, self.W2, self.b2
        h = torch.tanh(x @ W1 + b1)
        h = F.dropout(h, 0.3, training=train)
        return h @ W2 + b2
forward = Net()
params = list(forward.parameters())
def accuracy(x, y):
    with torch.no_grad():
        return (forward(x).argmax(1) == y).float().mean().item()
opt = torch.optim.SGD(params, lr=0.1, momentum=0.9)
for epoch in range(30):
    order = torch.randperm(len(x_tr))
    total = 0.0
    for idx in order.split(16):
        logits = forward(x_tr[idx], train=True)
        loss = F.cross_entropy(logits, y_tr[idx])
        opt.zero_grad()
        loss.backward()
        opt.step()
        total += loss.item() * len(idx)
    if epoch % 10 == 9:
        print(epoch, total / len(x_tr), accuracy(x_tr, y_tr), accuracy(x_te, y_te))
