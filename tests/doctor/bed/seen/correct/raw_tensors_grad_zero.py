# expect: nothing
# looks suspicious: no optimizer at all and weights changed under no_grad; p.grad.zero_() follows each update.
import torch

torch.manual_seed(0)
x = torch.linspace(-3.0, 3.0, 200).unsqueeze(1)
y = torch.sin(x) + 0.05 * torch.randn_like(x)
perm = torch.randperm(200)
x, y = x[perm], y[perm]

w1 = (0.7 * torch.randn(1, 32)).requires_grad_()
b1 = torch.zeros(32, requires_grad=True)
w2 = (0.2 * torch.randn(32, 1)).requires_grad_()
b2 = torch.zeros(1, requires_grad=True)
learning_rate = 0.05

for t in range(300):
    y_pred = torch.tanh(x @ w1 + b1) @ w2 + b2
    loss = (y_pred - y).pow(2).mean()
    if t % 60 == 0:
        print(t, loss.item())
    loss.backward()
    with torch.no_grad():
        for w in (w1, b1, w2, b2):
            w -= learning_rate * w.grad
            w.grad.zero_()
print("final", loss.item())
