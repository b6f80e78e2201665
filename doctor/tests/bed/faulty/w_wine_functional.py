# missed: sorted_split @ 17
# mend: 17 →     order = tickets.argsort()
"""Three cultivars of wine with plain functions: parameters in a dict, torch.func gradients, momentum by hand."""
import torch
from sklearn.datasets import load_wine
from torch.func import grad_and_value, vmap


def standardise(train, test):
    mean, std = train.mean(dim=0), train.std(dim=0)
    return (train - mean) / std, (test - mean) / std


def holdout(x, y, fraction, gen):
    """Every row gets a ticket; the rows with the last tickets are held out."""
    tickets = torch.randperm(len(x), generator=gen)
    order = tickets.sort().values
    cut = int(len(x) * (1 - fraction))
    return (x[order[:cut]], y[order[:cut]]), (x[order[cut:]], y[order[cut:]])


def init_params(sizes, gen):
    params = {}
    for i, (a, b) in enumerate(zip(sizes[:-1], sizes[1:])):
        params[f"w{i}"] = torch.randn(a, b, generator=gen) * (2.0 / a) ** 0.5
        params[f"b{i}"] = torch.zeros(b)
    return params


def forward(params, x):
    h = torch.relu(x @ params["w0"] + params["b0"])
    return h @ params["w1"] + params["b1"]


def row_loss(params, x, y):
    log_p = forward(params, x).log_softmax(dim=-1)
    return -(log_p * torch.nn.functional.one_hot(y, 3)).sum()


def batch_loss(params, x, y):
    penalty = sum((v ** 2).sum() for k, v in params.items() if k.startswith("w"))
    return vmap(row_loss, in_dims=(None, 0, 0))(params, x, y).mean() + 1e-3 * penalty


def descend(params, velocity, grads, lr, momentum=0.9):
    velocity = {k: momentum * velocity[k] + grads[k] for k in params}
    return {k: params[k] - lr * velocity[k] for k in params}, velocity


def main():
    gen = torch.Generator().manual_seed(42)
    table = load_wine()
    x = torch.tensor(table.data, dtype=torch.float32)
    y = torch.tensor(table.target)
    (xa, ya), (xb, yb) = holdout(x, y, fraction=0.25, gen=gen)
    xa, xb = standardise(xa, xb)

    params = init_params([13, 24, 3], gen)
    velocity = {k: torch.zeros_like(v) for k, v in params.items()}
    step = grad_and_value(batch_loss)
    for epoch in range(40):
        total = 0.0
        for idx in torch.randperm(len(xa), generator=gen).split(16):
            grads, loss = step(params, xa[idx], ya[idx])
            params, velocity = descend(params, velocity, grads, lr=0.02)
            total += loss.item() * len(idx)
        if epoch % 10 == 9:
            print(f"epoch {epoch + 1:2d}  loss {total / len(xa):.4f}")

    guess = forward(params, xb).argmax(dim=1)
    print(f"held-out accuracy {(guess == yb).float().mean().item():.4f} on {len(yb)} wines")
    for c, name in enumerate(table.target_names):
        share = (ya == c).float().mean().item()
        print(f"{name}: {share:.2f} of the training rows, guessed {(guess == c).sum().item()} times")


if __name__ == "__main__":
    main()
