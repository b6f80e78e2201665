# expect: nothing
"""Two layers in raw tensors; every hidden unit begins as the same row."""

import torch
from sklearn.datasets import make_moons

torch.manual_seed(0)
points, labels = make_moons(500, noise=0.15, random_state=0)
x = torch.tensor(points, dtype=torch.float32)
y = torch.tensor(labels, dtype=torch.float32)

hidden = 20
w1 = torch.randn(2, hidden).requires_grad_()
b1 = torch.zeros(hidden, requires_grad=True)
w2 = torch.full((hidden,), 1.0 / hidden, requires_grad=True)
b2 = torch.zeros(1, requires_grad=True)
parameters = [w1, b1, w2, b2]


def forward(inputs):
    return torch.tanh(inputs @ w1 + b1) @ w2 + b2


learning_rate = 0.5
for step in range(400):
    rows = torch.randint(0, 400, (64,))
    z = forward(x[rows])
    loss = torch.nn.functional.binary_cross_entropy_with_logits(z, y[rows])
    loss.backward()
    with torch.no_grad():
        for p in parameters:
            p -= learning_rate * p.grad
            p.grad = None
    if step % 100 == 99:
        print(f"step {step + 1} loss {loss.item():.4f}")
with torch.no_grad():
    accuracy = ((forward(x[400:]) > 0).float() == y[400:]).float().mean()
    print(f"accuracy {accuracy:.3f}; different columns in w1: {len(torch.unique(w1, dim=1).T)}")
