# expect: nothing
# mends: sgd_blows_up_regression.py
"""Plain gradient descent on raw tensors with a step that overshoots."""

import torch

torch.manual_seed(0)
X = torch.randn(200, 10)
w_true = torch.randn(10)
y = X @ w_true + 0.1 * torch.randn(200)
w = torch.zeros(10, requires_grad=True)
b = torch.zeros((), requires_grad=True)
opt = torch.optim.SGD([w, b], lr=0.1)
for epoch in range(40):
    pred = X @ w + b
    loss = torch.mean((pred - y) ** 2)
    opt.zero_grad()
    loss.backward()
    opt.step()
    if epoch % 10 == 0:
        print(epoch, loss.item())
