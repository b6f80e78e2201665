# expect: detached_loss @ 19
"""A loss that is computed by scikit-learn, so that no gradient can flow."""

import torch
from sklearn.datasets import make_classification
from sklearn.metrics import log_loss
from torch import nn

torch.manual_seed(0)
X, y = make_classification(600, 12, n_informative=8, random_state=1)
X = torch.tensor(X, dtype=torch.float32)
y_t = torch.tensor(y, dtype=torch.float32)
net = nn.Sequential(nn.Linear(12, 20), nn.ReLU(), nn.Linear(20, 1), nn.Sigmoid())
opt = torch.optim.RMSprop(net.parameters(), lr=0.005)


def objective(prob, target):
    value = log_loss(target.numpy(), prob.detach().numpy().astype("float64"))
    return torch.tensor(value, requires_grad=True)


for epoch in range(6):
    for idx in torch.randperm(600).split(100):
        prob = net(X[idx]).squeeze(1)
        loss = objective(prob, y_t[idx])
        opt.zero_grad()
        loss.backward()
        opt.step()
    with torch.no_grad():
        full = log_loss(y, net(X).squeeze(1).numpy().astype("float64"))
    print(f"epoch {epoch} log loss {full:.4f}")
