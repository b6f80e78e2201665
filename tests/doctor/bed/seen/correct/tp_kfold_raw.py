# expect: nothing
"""Gist: k-fold cross-validation in plain tensors, no nn.Module, no DataLoader (one hidden layer, breast cancer)."""
import torch
import torch.nn.functional as F
from sklearn.datasets import load_breast_cancer

K = 5
EPOCHS = 60
BATCH = 64
LR = 0.1
MOMENTUM = 0.9
L2 = 1e-3


def init(n_in, n_hidden, n_out, generator):
    shapes = [(n_in, n_hidden), (n_hidden, n_out)]
    params = []
    for fan_in, fan_out in shapes:
        w = torch.randn(fan_in, fan_out, generator=generator) * (2.0 / fan_in) ** 0.5
        params += [w.requires_grad_(), torch.zeros(fan_out, requires_grad=True)]
    return params


def forward(params, x):
    w1, b1, w2, b2 = params
    return F.relu(x @ w1 + b1) @ w2 + b2


def sgd(params, velocity, loss):
    grads = torch.autograd.grad(loss, params)
    with torch.no_grad():
        for p, v, g in zip(params, velocity, grads):
            v.mul_(MOMENTUM).add_(g + L2 * p)
            p.sub_(LR * (1 - MOMENTUM) * v)


def train(x, y, generator):
    params = init(x.shape[1], 16, 2, generator)
    velocity = [torch.zeros_like(p) for p in params]
    for _ in range(EPOCHS):
        for idx in torch.randperm(len(x), generator=generator).split(BATCH):
            sgd(params, velocity, F.cross_entropy(forward(params, x[idx]), y[idx]))
    return params


@torch.no_grad()
def score(params, x, y):
    logits = forward(params, x)
    return F.cross_entropy(logits, y).item(), (logits.argmax(1) == y).float().mean().item()


def folds(n, generator):
    """Yields (number of the fold, training rows, test rows), numbered from 1."""
    chunks = torch.randperm(n, generator=generator).chunk(K)
    for fold in range(1, K + 1):
        test_idx = chunks[fold - 1]
        train_idx = torch.cat([chunk for j, chunk in enumerate(chunks, start=1) if j != fold])
        yield fold, train_idx, test_idx


def main():
    generator = torch.Generator().manual_seed(2020)
    data = load_breast_cancer()
    x, y = torch.tensor(data.data, dtype=torch.float32), torch.tensor(data.target)

    accuracies = []
    for fold, train_idx, test_idx in folds(len(x), generator):
        mean, std = x[train_idx].mean(0), x[train_idx].std(0)
        normalise = lambda rows: (rows - mean) / std
        params = train(normalise(x[train_idx]), y[train_idx], generator)
        loss, accuracy = score(params, normalise(x[test_idx]), y[test_idx])
        accuracies.append(accuracy)
        print(f"fold {fold}: {len(test_idx)} held out, loss {loss:.4f}, accuracy {accuracy:.4f}")
    accuracies = torch.tensor(accuracies)
    print(f"{K}-fold accuracy {accuracies.mean():.4f} +- {accuracies.std():.4f}")


if __name__ == "__main__":
    main()
