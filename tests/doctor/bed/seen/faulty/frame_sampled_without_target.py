# expect: label_misaligned @ 11
"""The frame of features is shuffled by sample(); the target column is not."""

import torch
from sklearn.datasets import load_breast_cancer
from torch import nn

torch.manual_seed(0)
bunch = load_breast_cancer(as_frame=True)
X, y = bunch.data, bunch.target
X = X.sample(frac=1, random_state=7).reset_index(drop=True)
X = (X - X[:400].mean()) / X[:400].std()
x_train = torch.tensor(X.values[:400], dtype=torch.float32)
y_train = torch.tensor(y.values[:400])
model = nn.Sequential(nn.Linear(30, 8), nn.ReLU(), nn.Linear(8, 2))
opt = torch.optim.SGD(model.parameters(), lr=0.05)
for epoch in range(12):
    for idx in torch.randperm(400).split(50):
        opt.zero_grad()
        loss = nn.functional.cross_entropy(model(x_train[idx]), y_train[idx])
        loss.backward()
        opt.step()
    print(epoch, loss.item())
