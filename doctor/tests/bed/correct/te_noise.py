# expect: nothing
# looks suspicious: gradients are made and never used: their norms are what is looked at
import torch
import torch.nn.functional as F

torch.manual_seed(5)
x = torch.randn(320, 9)
y = (x[:, 0] + x[:, 1] > 0).long()
w = torch.zeros(9, 2, requires_grad=True)
norms = []
for step in range(60):
    rows = torch.randint(0, 320, (16,))
    loss = F.cross_entropy(x[rows] @ w, y[rows])
    loss.backward()
    norms.append(w.grad.norm().item())
    w.grad = None
print(sum(norms) / len(norms))
