# expect: missing_zero_grad @ 40
# mend: 40 +                 p.grad.zero_()
"""Logistic regression with raw tensors and an update by hand."""

import torch
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

torch.manual_seed(1)
data, target = load_breast_cancer(return_X_y=True)
x_tr, x_te, y_tr, y_te = train_test_split(data, target, test_size=0.25, random_state=4, stratify=target)
sc = StandardScaler().fit(x_tr)
x_tr, x_te = (torch.tensor(sc.transform(a), dtype=torch.float32) for a in (x_tr, x_te))
y_tr, y_te = torch.tensor(y_tr).float(), torch.tensor(y_te).float()

weights = (torch.randn(30) * 0.01).requires_grad_()
bias = torch.zeros(1, requires_grad=True)
step_size = 0.05


def predict(x):
    return torch.sigmoid(x @ weights + bias)


def negative_log_likelihood(p, y):
    p = p.clamp(1e-6, 1 - 1e-6)
    return -(y * p.log() + (1 - y) * (1 - p).log()).mean()


n = len(x_tr)
for epoch in range(15):
    order = torch.randperm(n)
    for start in range(0, n, 32):
        rows = order[start : start + 32]
        cost = negative_log_likelihood(predict(x_tr[rows]), y_tr[rows])
        cost.backward()
        with torch.no_grad():
            for p in (weights, bias):
                p -= step_size * p.grad
    if epoch % 5 == 4:
        with torch.no_grad():
            accuracy = ((predict(x_te) > 0.5).float() == y_te).float().mean()
        print(f"{epoch + 1} epochs, accuracy {accuracy:.3f}")
