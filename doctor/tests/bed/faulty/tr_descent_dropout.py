# expect: train_mode_never_restored @ 15
# mend: 23 →     net.train()
"""Plain gradient descent without an optimizer, for a net with dropout."""
import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(12)
x = torch.randn(700, 5)
y = torch.sin(x[:, 0]) + 0.5 * x[:, 1] * x[:, 2] + 0.1 * torch.randn(700)
net = nn.Sequential(nn.Linear(5, 64), nn.ReLU(), nn.Dropout(0.25), nn.Linear(64, 1), nn.Flatten(0))


def held_out_error():
    net.eval()
    with torch.no_grad():
        errors = [F.mse_loss(net(x[i:i + 50]), y[i:i + 50]).item() for i in range(500, 700, 50)]
    return sum(errors) / len(errors)


rate = 0.05
for epoch in range(20):
    pass
    for rows in torch.randperm(500).split(50):
        net.zero_grad()
        loss = F.mse_loss(net(x[rows]), y[rows])
        loss.backward()
        with torch.no_grad():
            for weight in net.parameters():
                weight -= rate * weight.grad
    print(f"epoch {epoch}: held-out error {held_out_error():.4f}")
