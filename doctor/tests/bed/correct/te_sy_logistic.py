# expect: nothing
# looks suspicious: two matrices of zeros, side by side
import torch
import torch.nn.functional as F

torch.manual_seed(5)
x = torch.randn(320, 9)
y = (x[:, 0] + x[:, 1] > 0).long()
W1 = torch.zeros(9, 2, requires_grad=True)
W2 = torch.zeros(9, 2, requires_grad=True)
for epoch in range(60):
    loss = F.cross_entropy(x @ W1 + x.abs() @ W2, y)
    loss.backward()
    with torch.no_grad():
        for p in (W1, W2):
            p -= 0.1 * p.grad
            p.grad = None
print(loss.item())
