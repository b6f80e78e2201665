# expect: bad_label_values @ 16
# allowed: bad_label_values @ 48
# mend: 16 →     y = np.where(y == 1, 1.0, 0.0)
"""Binary classifier of noisy rings trained with raw tensors and manual momentum."""
import numpy as np
import torch
import torch.nn.functional as F
from sklearn.datasets import make_circles
from sklearn.model_selection import train_test_split

torch.manual_seed(6)


def load_rings():
    X, y = make_circles(900, noise=0.12, factor=0.45, random_state=6)
    y = np.where(y == 1, 1.0, -1.0)
    Xa, Xb, ya, yb = train_test_split(X, y, test_size=0.3, random_state=6)
    return [torch.tensor(a, dtype=torch.float32) for a in (Xa, Xb, ya, yb)]


def init(n_in, n_out):
    w = torch.randn(n_in, n_out) * (1.0 / n_in) ** 0.5
    return w.requires_grad_(), torch.zeros(n_out, requires_grad=True)


W1, b1 = init(2, 24)
W2, b2 = init(24, 1)
params = [W1, b1, W2, b2]
velocity = [torch.zeros_like(p) for p in params]


def forward(x):
    return (torch.tanh(x @ W1 + b1) @ W2 + b2).squeeze(1)


def sgd_step(lr=0.1, mu=0.9):
    with torch.no_grad():
        for p, v in zip(params, velocity):
            v.mul_(mu).add_(p.grad)
            p.sub_(lr * v)
            p.grad = None


X_train, X_test, y_train, y_test = load_rings()
for epoch in range(25):
    losses = []
    for idx in torch.randperm(len(X_train)).split(30):
        loss = F.binary_cross_entropy_with_logits(forward(X_train[idx]), y_train[idx])
        loss.backward()
        sgd_step()
        losses.append(loss.item())
    if epoch % 5 == 4:
        print(f"epoch {epoch + 1} loss {np.mean(losses):.4f}")

with torch.no_grad():
    pred = forward(X_test) > 0
    print("test accuracy", (pred == (y_test > 0)).float().mean().item())
