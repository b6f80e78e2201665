# expect: nothing
"""Wine cultivars in the functional style: torch.func gradients, plain parameter dictionaries and momentum written out."""
import numpy as np
import torch
import torch.nn.functional as F
from sklearn.datasets import load_wine
from torch import nn
from torch.func import functional_call, grad_and_value


def mixed(*arrays, rng):
    """The arrays in random order."""
    order = rng.permutation(len(arrays[0]))
    return tuple(a[order] for a in arrays)


def split(x, y, share, rng):
    x, y = mixed(x, y, rng=rng)
    n = int(len(x) * share)
    return (x[:n], y[:n]), (x[n:], y[n:])


def standardise(train, test):
    mu, sd = train.mean(axis=0), train.std(axis=0)
    return (train - mu) / sd, (test - mu) / sd


def as_tensors(x, y):
    return torch.tensor(x, dtype=torch.float32), torch.tensor(y, dtype=torch.long)


def make_step(model, lr, beta):
    def loss_of(params, x, y):
        return F.cross_entropy(functional_call(model, params, (x,)), y)

    gradient = grad_and_value(loss_of)

    def step(params, velocity, x, y):
        grads, loss = gradient(params, x, y)
        velocity = {k: beta * velocity[k] + grads[k] for k in params}
        params = {k: params[k] - lr * velocity[k] for k in params}
        return params, velocity, loss.item()

    return step


def main():
    rng = np.random.default_rng(26)
    torch.manual_seed(26)
    wine = load_wine()
    (x_tr, y_tr), (x_te, y_te) = split(wine.data, wine.target, 0.7, rng)
    x_tr, x_te = standardise(x_tr, x_te)
    x_tr, y_tr = as_tensors(x_tr, y_tr)
    x_te, y_te = as_tensors(x_te, y_te)

    model = nn.Sequential(nn.Linear(13, 16), nn.Tanh(), nn.Linear(16, 3))
    params = {k: v.detach().clone() for k, v in model.named_parameters()}
    velocity = {k: torch.zeros_like(v) for k, v in params.items()}
    step = make_step(model, lr=0.05, beta=0.9)

    for epoch in range(1, 16):
        losses = []
        for rows in torch.randperm(len(x_tr)).split(20):
            params, velocity, loss = step(params, velocity, x_tr[rows], y_tr[rows])
            losses.append(loss)
        if epoch % 5 == 0:
            print(f"epoch {epoch} loss {np.mean(losses):.4f}")

    with torch.no_grad():
        predicted = functional_call(model, params, (x_te,)).argmax(dim=1)
    print(f"test accuracy {(predicted == y_te).float().mean().item():.3f} on {len(y_te)} wines")


if __name__ == "__main__":
    main()
