# expect: symmetric_init @ 19
# allowed: symmetric_init @ 21
# mend: 19 →     W1 = torch.randn(2, H)
# mend: 21 →     W2 = torch.randn(H, 1) * H ** -0.5
"""Two-layer network from raw tensors with hand-written SGD on the circles problem."""
import torch
from sklearn.datasets import make_circles

torch.manual_seed(0)
H, LR = 24, 0.5


def data(seed):
    X, y = make_circles(800, noise=0.08, factor=0.5, random_state=seed)
    return torch.tensor(X, dtype=torch.float32), torch.tensor(y, dtype=torch.float32)


def init_params():
    W1 = torch.full((2, H), 0.5)
    b1 = torch.zeros(H)
    W2 = torch.full((H, 1), 0.2)
    b2 = torch.zeros(1)
    return [t.requires_grad_() for t in (W1, b1, W2, b2)]


def forward(params, x):
    W1, b1, W2, b2 = params
    return (torch.tanh(x @ W1 + b1) @ W2 + b2).squeeze(1)


def bce(logits, y):
    return (torch.clamp(logits, min=0) - logits * y + torch.log1p(torch.exp(-logits.abs()))).mean()


X, y = data(0)
Xt, yt = data(1)
params = init_params()
for epoch in range(40):
    for idx in torch.randperm(len(X)).split(40):
        loss = bce(forward(params, X[idx]), y[idx])
        loss.backward()
        with torch.no_grad():
            for p in params:
                p -= LR * p.grad
                p.grad = None
    if epoch % 10 == 9:
        with torch.no_grad():
            acc = ((forward(params, Xt) > 0).float() == yt).float().mean()
        print(f"epoch {epoch + 1} loss {loss.item():.4f} test acc {acc:.3f}")
