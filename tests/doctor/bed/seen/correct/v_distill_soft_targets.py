# expect: nothing
"""Knowledge distillation: a small student learns from the softened softmax of a larger teacher."""
import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn


def mlp(width):
    return nn.Sequential(nn.Linear(64, width), nn.ReLU(), nn.Linear(width, 10))


def run(net, x, y, epochs, loss_of):
    opt = torch.optim.Adam(net.parameters(), lr=3e-3)
    for _ in range(epochs):
        net.train()
        for idx in torch.randperm(len(x)).split(64):
            opt.zero_grad()
            loss_of(net(x[idx]), x[idx], y[idx]).backward()
            opt.step()


def acc(net, x, y):
    net.eval()
    with torch.no_grad():
        probs = torch.softmax(net(x), dim=1)
    return (probs.argmax(1) == y).float().mean().item()


def main(T=3.0, alpha=0.7):
    torch.manual_seed(0)
    X, t = load_digits(return_X_y=True)
    xa, xb, ya, yb = train_test_split(torch.tensor(X / 16, dtype=torch.float32), torch.tensor(t), test_size=0.3,
                                      stratify=t, random_state=0)
    teacher, student = mlp(256), mlp(24)
    run(teacher, xa, ya, 12, lambda out, x, y: F.cross_entropy(out, y))
    teacher.eval().requires_grad_(False)

    def distill(out, x, y):
        soft = torch.softmax(teacher(x) / T, dim=1)
        kd = F.kl_div(F.log_softmax(out / T, dim=1), soft, reduction="batchmean") * T * T
        return alpha * kd + (1 - alpha) * F.cross_entropy(out, y)

    run(student, xa, ya, 15, distill)
    print(f"teacher {acc(teacher, xb, yb):.3f} student {acc(student, xb, yb):.3f}")


main()
