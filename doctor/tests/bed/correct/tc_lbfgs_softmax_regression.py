# expect: nothing
"""Softmax regression on the irises from raw tensors, with LBFGS over all the rows and an L2 penalty."""
import torch
from sklearn.datasets import load_iris


def split_by_species(y, every):
    """Each `every`-th flower of every species is held out; the irises come in blocks of fifty."""
    place = torch.arange(len(y)) % 50
    return torch.nonzero(place % every != 0).flatten(), torch.nonzero(place % every == 0).flatten()


def objective(weight, bias, x, y, penalty):
    logits = x @ weight + bias
    log_z = torch.logsumexp(logits, dim=1)
    picked = logits.gather(1, y.unsqueeze(1)).squeeze(1)
    return (log_z - picked).mean() + penalty * weight.pow(2).sum()


def fit(x, y, classes, penalty=1e-3, rounds=12):
    weight = torch.zeros(x.shape[1], classes, requires_grad=True)
    bias = torch.zeros(classes, requires_grad=True)
    optimizer = torch.optim.LBFGS([weight, bias], lr=1.0, max_iter=10, line_search_fn="strong_wolfe")

    def closure():
        optimizer.zero_grad()
        loss = objective(weight, bias, x, y, penalty)
        loss.backward()
        return loss

    for i in range(rounds):
        loss = optimizer.step(closure)
        if i % 4 == 0:
            print(f"round {i:2d}  objective {loss.item():.5f}")
    return weight.detach(), bias.detach()


def main():
    data, species = load_iris(return_X_y=True)
    x = torch.tensor(data, dtype=torch.float32)
    y = torch.tensor(species)
    train, test = split_by_species(y, every=4)
    mean, std = x[train].mean(0), x[train].std(0)
    x = (x - mean) / std
    weight, bias = fit(x[train], y[train], classes=3)
    for name, rows in (("train", train), ("test", test)):
        guess = (x[rows] @ weight + bias).argmax(dim=1)
        print(f"{name}: {(guess == y[rows]).float().mean():.3f} of {len(rows)} flowers")


main()
