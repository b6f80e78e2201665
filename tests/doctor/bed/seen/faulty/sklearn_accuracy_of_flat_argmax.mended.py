# expect: nothing
# mends: sklearn_accuracy_of_flat_argmax.py
"""np.argmax without an axis, for accuracy by scikit-learn."""

import numpy as np
import torch
from sklearn.datasets import load_wine
from sklearn.metrics import accuracy_score
from torch import nn

torch.manual_seed(0)
X, y = load_wine(return_X_y=True)
X = (X - X.mean(0)) / X.std(0)
X, y = torch.tensor(X, dtype=torch.float32), torch.tensor(y)
net = nn.Linear(13, 3)
opt = torch.optim.Adam(net.parameters(), lr=0.05)
for epoch in range(20):
    net.train()
    logits = net(X)
    loss = nn.functional.cross_entropy(logits, y)
    opt.zero_grad()
    loss.backward()
    opt.step()
    said = np.argmax(logits.detach().numpy(), axis=1)
    print(epoch, accuracy_score(y.numpy(), said))
