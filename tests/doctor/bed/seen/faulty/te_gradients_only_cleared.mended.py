import torch
import torch.nn.functional as F

torch.manual_seed(5)
x = torch.randn(320, 9)
y = (x[:, 0] + x[:, 1] > 0).long()
w = (torch.randn(9, 2) * 0.1).requires_grad_()
b = torch.zeros(2, requires_grad=True)
for epoch in range(10):
    for i in range(0, 320, 32):
        loss = F.cross_entropy(x[i : i + 32] @ w + b, y[i : i + 32])
        loss.backward()
        w.data -= 0.5 * w.grad
        b.data -= 0.5 * b.grad
        if w.grad is not None:
            w.grad.zero_()
            b.grad.zero_()
    print(epoch, loss.item())
