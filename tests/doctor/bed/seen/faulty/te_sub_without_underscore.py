# expect: no_step @ 16
import torch
import torch.nn.functional as F

torch.manual_seed(5)
x = torch.randn(320, 9)
y = (x[:, 0] + x[:, 1] > 0).long()
params = [(torch.randn(9, 12) * 0.3).requires_grad_(), torch.zeros(12, requires_grad=True), (torch.randn(12, 2) * 0.3).requires_grad_()]
for epoch in range(6):
    for rows in torch.randperm(320).split(32):
        h = torch.tanh(x[rows] @ params[0] + params[1])
        loss = F.cross_entropy(h @ params[2], y[rows])
        loss.backward()
        with torch.no_grad():
            for p in params:
                p.sub(0.1 * p.grad)
                p.grad = None
    print(epoch, loss.item())
