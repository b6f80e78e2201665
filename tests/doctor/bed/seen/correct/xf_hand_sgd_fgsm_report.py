# expect: nothing
"""Digits with a hand-written momentum step, then clean / noisy / adversarial accuracy."""
import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

torch.manual_seed(15)


def he(*shape):
    fan_in = shape[1] * (shape[2] * shape[3] if len(shape) == 4 else 1)
    return (torch.randn(*shape) * (2 / fan_in) ** 0.5).requires_grad_()


weights = {
    "k1": he(12, 1, 3, 3), "b1": torch.zeros(12, requires_grad=True),
    "k2": he(24, 12, 3, 3), "b2": torch.zeros(24, requires_grad=True),
    "w": he(10, 24 * 16), "b": torch.zeros(10, requires_grad=True),
}


def forward(x):
    h = F.max_pool2d(F.relu(F.conv2d(x, weights["k1"], weights["b1"], padding=1)), 2)
    h = F.relu(F.conv2d(h, weights["k2"], weights["b2"], padding=1))
    return F.linear(h.flatten(1), weights["w"], weights["b"])


class Momentum:
    def __init__(self, params, rate=0.03, mu=0.9):
        self.params, self.rate, self.mu = list(params), rate, mu
        self.velocity = [torch.zeros_like(p) for p in self.params]

    @torch.no_grad()
    def apply(self, grads):
        for p, v, g in zip(self.params, self.velocity, grads):
            v.mul_(self.mu).add_(g)
            p.sub_(self.rate * v)


@torch.no_grad()
def accuracy(x, y):
    return (forward(x).argmax(1) == y).float().mean().item()


def attack(x, y, eps):
    """One signed gradient step on the pixels; the weights stay as they are."""
    x = x.clone().requires_grad_()
    F.cross_entropy(forward(x), y).backward(inputs=[x])
    return (x.detach() + eps * x.grad.sign()).clamp(0, 1)


digits = load_digits()
x = torch.tensor(digits.images / 16.0, dtype=torch.float32).unsqueeze(1)
y = torch.tensor(digits.target)
train_rows, test_rows = train_test_split(
    torch.arange(len(y)), test_size=0.3, stratify=digits.target, random_state=15)
xtr, ytr, xte, yte = x[train_rows], y[train_rows], x[test_rows], y[test_rows]

rule = Momentum(weights.values())
for epoch in range(10):
    total = 0.0
    for idx in torch.randperm(len(xtr)).split(50):
        loss = F.cross_entropy(forward(xtr[idx]), ytr[idx])
        rule.apply(torch.autograd.grad(loss, rule.params))
        total += loss.item() * len(idx)
    print(f"epoch {epoch}: loss {total / len(xtr):.4f}")

print(f"test, clean:       {accuracy(xte, yte):.4f}")
noise = torch.randn(xte.shape, generator=torch.Generator().manual_seed(0))
for sigma in (0.1, 0.2):
    print(f"test, noise {sigma}:   {accuracy((xte + sigma * noise).clamp(0, 1), yte):.4f}")
for eps in (0.05, 0.1):
    print(f"test, fgsm {eps:<4}:   {accuracy(attack(xte, yte, eps), yte):.4f}")
