# expect: nothing
"""Raw tensors with a hand-written gradient-descent update through torch.autograd.grad."""
import torch
from sklearn.datasets import load_iris
from sklearn.model_selection import train_test_split

X, y = load_iris(return_X_y=True)
a, b, c, d = train_test_split(X, y, test_size=0.3, random_state=1, stratify=y)
mu, sd = a.mean(0), a.std(0)
a, b = torch.tensor((a - mu) / sd).float(), torch.tensor((b - mu) / sd).float()
c, d = torch.tensor(c), torch.tensor(d)
torch.manual_seed(1)
w1 = (0.5 * torch.randn(4, 16)).requires_grad_()
b1 = torch.zeros(16, requires_grad=True)
w2 = (0.25 * torch.randn(16, 3)).requires_grad_()
b2 = torch.zeros(3, requires_grad=True)
theta = [w1, b1, w2, b2]
net = lambda z: torch.tanh(z @ w1 + b1) @ w2 + b2
for epoch in range(40):
    for idx in torch.randperm(len(a)).split(15):
        logp = torch.log_softmax(net(a[idx]), 1)
        loss = -logp[torch.arange(len(idx)), c[idx]].mean()
        grads = torch.autograd.grad(loss, theta)
        with torch.no_grad():
            for p, g in zip(theta, grads):
                p -= 0.1 * g
with torch.no_grad():
    print("loss", loss.item(), "acc", (net(b).argmax(1) == d).float().mean().item())
