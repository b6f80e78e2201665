# expect: nothing
"""Distillation: a wide teacher and a narrow student on an uneven made-up three-class task; rare rows are drawn more often in training."""
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset, WeightedRandomSampler

SHARES = (0.72, 0.2, 0.08)


def spirals(n, generator):
    label = torch.multinomial(torch.tensor(SHARES), n, replacement=True, generator=generator)
    r = 0.2 + 0.8 * torch.rand(n, generator=generator)
    angle = 3.5 * r + 2.0944 * label + 0.12 * torch.randn(n, generator=generator)
    return TensorDataset(2 * torch.stack([r * angle.cos(), r * angle.sin()], dim=1), label)


def mlp(width):
    return nn.Sequential(nn.Linear(2, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU(), nn.Linear(width, 3))


def balanced_loader(data, batch_size):
    _, y = data.tensors
    weight = 1.0 / torch.bincount(y).float()
    sampler = WeightedRandomSampler(weight[y], num_samples=len(y), replacement=True)
    return DataLoader(data, batch_size=batch_size, sampler=sampler)


def supervised(net, _teacher, x, y):
    return F.cross_entropy(net(x), y)


def distilled(net, teacher, x, y, temperature=3.0, alpha=0.7):
    logits = net(x)
    with torch.no_grad():
        soft = F.softmax(teacher(x) / temperature, dim=1)
    kl = F.kl_div(F.log_softmax(logits / temperature, dim=1), soft, reduction="batchmean") * temperature ** 2
    return alpha * kl + (1 - alpha) * F.cross_entropy(logits, y)


def fit(net, loader, objective, epochs, teacher=None, lr=5e-3, gamma=0.999):
    optimizer = torch.optim.Adam(net.parameters(), lr=lr)
    decay = torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma=gamma)
    net.train()
    for _ in range(epochs):
        for x, y in loader:
            optimizer.zero_grad()
            objective(net, teacher, x, y).backward()
            optimizer.step()
            decay.step()
    return net.eval()


@torch.no_grad()
def recalls(net, data):
    x, y = data.tensors
    guess = net(x).argmax(dim=1)
    return [(guess[y == k] == k).float().mean().item() for k in range(3)]


def main():
    torch.manual_seed(88)
    generator = torch.Generator().manual_seed(88)
    train, test = spirals(2000, generator), spirals(1000, generator)
    loader = balanced_loader(train, batch_size=64)
    teacher = fit(mlp(96), loader, supervised, epochs=22)
    student = fit(mlp(12), loader, distilled, epochs=22, teacher=teacher)
    for name, net in (("teacher", teacher), ("student", student)):
        print(f"{name}: recall " + " ".join(f"{r:.3f}" for r in recalls(net, test)))


if __name__ == "__main__":
    main()
