# expect: nothing
"""Softmax regression and a hidden layer from plain tensors: own log-softmax, own momentum, own mini-batches (wine)."""
import torch
from sklearn.datasets import load_wine
from sklearn.model_selection import train_test_split

generator = torch.Generator().manual_seed(5)

features, target = load_wine(return_X_y=True)
features, target = torch.tensor(features, dtype=torch.float32), torch.tensor(target)
x_train, x_test, y_train, y_test = train_test_split(features, target, test_size=0.3, stratify=target, random_state=5)
center, spread = x_train.mean(0), x_train.std(0)
x_train, x_test = (x_train - center) / spread, (x_test - center) / spread


def weight(n_in, n_out):
    return (torch.randn(n_in, n_out, generator=generator) / n_in ** 0.5).requires_grad_()


W1, b1 = weight(13, 16), torch.zeros(16, requires_grad=True)
W2, b2 = torch.zeros(16, 3, requires_grad=True), torch.zeros(3, requires_grad=True)
parameters = [W1, b1, W2, b2]
velocity = [torch.zeros_like(p) for p in parameters]


def log_softmax(z):
    z = z - z.max(dim=1, keepdim=True).values
    return z - z.exp().sum(dim=1, keepdim=True).log()


def forward(x):
    return log_softmax(torch.tanh(x @ W1 + b1) @ W2 + b2)


def nll(log_probs, y):
    return -log_probs.gather(1, y[:, None]).mean()


def update(grads, lr=0.05, momentum=0.9, decay=1e-3):
    with torch.no_grad():
        for p, v, g in zip(parameters, velocity, grads):
            v.mul_(momentum).add_(g + decay * p)
            p.sub_(lr * v)


for epoch in range(1, 21):
    order = torch.randperm(len(x_train), generator=generator)
    seen = 0.0
    for rows in order.split(16):
        loss = nll(forward(x_train[rows]), y_train[rows])
        update(torch.autograd.grad(loss, parameters))
        seen += loss.item() * len(rows)
    if epoch % 5 == 0:
        print(f"epoch {epoch:2d} mean nll {seen / len(order):.4f}")

with torch.no_grad():
    log_probs = forward(x_test)
print(f"test nll {nll(log_probs, y_test).item():.4f}, accuracy {(log_probs.argmax(1) == y_test).float().mean().item():.3f}")
