# expect: nothing
# looks suspicious: inner backwards fill the network's gradients with the attack's and nothing steps with
# them; the model is in eval mode while the attack runs and zero_grad comes before the real backward.
import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch import nn

torch.manual_seed(0)
d = load_digits()
x = torch.tensor(d.images / 16, dtype=torch.float32).flatten(1)
y = torch.tensor(d.target)
rows = torch.randperm(len(y))
train, test = rows[:1500], rows[1500:]
model = nn.Sequential(nn.Linear(64, 64), nn.BatchNorm1d(64), nn.ReLU(), nn.Linear(64, 10))
optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)


def pgd(model, xb, yb, eps=0.1, alpha=0.05, steps=3):
    was = model.training
    model.eval()
    delta = torch.empty_like(xb).uniform_(-eps, eps).requires_grad_()
    for _ in range(steps):
        F.cross_entropy(model(xb + delta), yb).backward()
        delta.data = (delta + alpha * delta.grad.sign()).clamp(-eps, eps).detach()
        delta.grad.zero_()
    model.train(was)
    return (xb + delta.detach()).clamp(0, 1)


for epoch in range(3):
    model.train()
    for batch in train[torch.randperm(len(train))].split(100):
        x_adv = pgd(model, x[batch], y[batch])
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x_adv), y[batch])
        loss.backward()
        optimizer.step()
    print(f"epoch {epoch} adversarial loss {loss.item():.4f}")

model.eval()
x_adv = pgd(model, x[test], y[test])
with torch.no_grad():
    clean = (model(x[test]).argmax(1) == y[test]).float().mean().item()
    robust = (model(x_adv).argmax(1) == y[test]).float().mean().item()
print(f"clean {clean:.4f} robust {robust:.4f}")
