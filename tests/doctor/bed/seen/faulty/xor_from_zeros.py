# expect: symmetric_init @ 10
"""XOR with two raw weight matrices that begin at zero."""

import torch

torch.manual_seed(0)
x = torch.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
y = torch.tensor([[0.0], [1.0], [1.0], [0.0]])

W1 = torch.zeros(2, 8, requires_grad=True)
b1 = torch.zeros(8, requires_grad=True)
W2 = torch.zeros(8, 1, requires_grad=True)
b2 = torch.zeros(1, requires_grad=True)
optimizer = torch.optim.SGD([W1, b1, W2, b2], lr=0.5)

for epoch in range(600):
    hidden = torch.tanh(x @ W1 + b1)
    loss = torch.nn.functional.binary_cross_entropy_with_logits(hidden @ W2 + b2, y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if epoch % 150 == 0:
        print(f"epoch {epoch} loss {loss.item():.4f}")
print("answers", torch.sigmoid(hidden @ W2 + b2).detach().flatten().round().tolist())
