# expect: missing_zero_grad @ 23
"""Linear regression from scratch: no module, no optimizer."""

import torch

torch.manual_seed(3)
true_w = torch.tensor([2.0, -3.4, 0.5])
features = torch.randn(400, 3)
labels = features @ true_w + 4.2 + 0.05 * torch.randn(400)

w = torch.zeros(3, requires_grad=True)
b = torch.zeros(1, requires_grad=True)
lr = 0.03


def squared_loss(y_hat, y):
    return ((y_hat - y) ** 2 / 2).mean()


for epoch in range(5):
    for idx in torch.randperm(400).split(40):
        loss = squared_loss(features[idx] @ w + b, labels[idx])
        loss.backward()
        with torch.no_grad():
            w -= lr * w.grad
            b -= lr * b.grad
    with torch.no_grad():
        print(f"epoch {epoch + 1}, loss {squared_loss(features @ w + b, labels):.5f}")
print("w", [round(v, 2) for v in w.tolist()], "b", round(b.item(), 2))
