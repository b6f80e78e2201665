# expect: nothing
"""Two-layer net from raw tensors; the gradients are dropped by p.grad = None."""
import torch

torch.manual_seed(8)
N, D, H = 800, 5, 32
X = torch.randn(N, D)
y = (X[:, 0] ** 2 - X[:, 1] * X[:, 2] + 0.1 * torch.randn(N)).unsqueeze(1)
Xt = torch.randn(300, D)
yt = (Xt[:, 0] ** 2 - Xt[:, 1] * Xt[:, 2]).unsqueeze(1)


def param(*shape, scale):
    return (torch.randn(*shape) * scale).requires_grad_()


P = {"w1": param(D, H, scale=D ** -0.5), "b1": param(H, scale=0.1),
     "w2": param(H, 1, scale=H ** -0.5), "b2": param(1, scale=0.0)}


def net(x):
    return torch.relu(x @ P["w1"] + P["b1"]) @ P["w2"] + P["b2"]


lr = 0.05
for epoch in range(60):
    total = 0.0
    for idx in torch.randperm(N).split(40):
        loss = (net(X[idx]) - y[idx]).pow(2).mean()
        loss.backward()
        with torch.no_grad():
            for p in P.values():
                p -= lr * p.grad
                p.grad = None
        total += loss.item()
    if epoch == 40:
        lr = 0.01
    if epoch % 15 == 14:
        print(f"epoch {epoch + 1} mse {total / 20:.4f}")

with torch.no_grad():
    print("test mse", (net(Xt) - yt).pow(2).mean().item(), "variance", yt.var().item())
