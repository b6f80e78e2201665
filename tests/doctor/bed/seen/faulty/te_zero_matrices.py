# expect: symmetric_init @ 9
# allowed: dead_relu @ 15
import torch
import torch.nn.functional as F

torch.manual_seed(5)
x = torch.randn(320, 9)
y = (x[:, 0] + x[:, 1] > 0).long()
W1 = torch.zeros(9, 16, requires_grad=True)
b1 = torch.zeros(16, requires_grad=True)
W2 = torch.zeros(16, 2, requires_grad=True)
b2 = torch.zeros(2, requires_grad=True)
for epoch in range(10):
    for rows in torch.randperm(320).split(32):
        loss = F.cross_entropy(torch.relu(x[rows] @ W1 + b1) @ W2 + b2, y[rows])
        loss.backward()
        for p in (W1, b1, W2, b2):
            p.data = p.data - 0.1 * p.grad
            p.grad = None
print(loss.item())
