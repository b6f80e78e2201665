# expect: nothing
# looks suspicious: a new value is worked out, and only taken where it is better
import torch
import torch.nn.functional as F

torch.manual_seed(5)
x = torch.randn(320, 9)
y = (x[:, 0] + x[:, 1] > 0).long()
w = torch.zeros(9, 2, requires_grad=True)
for step in range(60):
    loss = F.cross_entropy(x @ w, y)
    loss.backward()
    with torch.no_grad():
        trial = w - 0.5 * w.grad
        if F.cross_entropy(x @ trial, y) < loss:
            w.copy_(trial)
    w.grad = None
print(loss.item())
