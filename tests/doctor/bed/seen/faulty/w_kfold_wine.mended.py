# expect: nothing
"""Three-fold cross-validation of a small net on the wine cultivars, all with plain tensors."""
import torch
from sklearn.datasets import load_wine

FOLDS, HIDDEN, EPOCHS, LR, DECAY = 3, 16, 60, 0.02, 1e-3


def make_folds(n, k, generator):
    rows = torch.randperm(n, generator=generator)
    for held_out in rows.chunk(k):
        keep = torch.ones(n, dtype=torch.bool)
        keep[held_out] = False
        train = keep.nonzero().squeeze(1)
        yield train[torch.randperm(len(train), generator=generator)], held_out


def init(n_in, n_out, generator):
    w1 = torch.randn(n_in, HIDDEN, generator=generator) * (2 / n_in) ** 0.5
    w2 = torch.randn(HIDDEN, n_out, generator=generator) * (1 / HIDDEN) ** 0.5
    params = [w1, torch.zeros(HIDDEN), w2, torch.zeros(n_out)]
    return [p.requires_grad_() for p in params]


def forward(params, x):
    w1, b1, w2, b2 = params
    return torch.relu(x @ w1 + b1) @ w2 + b2


def nll(logits, y):
    return -logits.log_softmax(dim=1).gather(1, y[:, None]).mean()


def train_fold(x, y, n_classes, generator):
    params = init(x.shape[1], n_classes, generator)
    moments = [torch.zeros_like(p) for p in params]
    for _ in range(EPOCHS):
        for idx in torch.randperm(len(x), generator=generator).split(32):
            loss = nll(forward(params, x[idx]), y[idx])
            grads = torch.autograd.grad(loss, params)
            with torch.no_grad():
                for p, m, g in zip(params, moments, grads):
                    m.mul_(0.9).add_(g + DECAY * p)
                    p.sub_(LR * m)
    return params, loss.item()


def main():
    generator = torch.Generator().manual_seed(33)
    data = load_wine()
    x = torch.tensor(data.data, dtype=torch.float32)
    y = torch.tensor(data.target)
    n_classes = len(data.target_names)

    right, per_fold = torch.zeros(n_classes), []
    for fold, (train, held_out) in enumerate(make_folds(len(x), FOLDS, generator), start=1):
        mean, std = x[train].mean(dim=0), x[train].std(dim=0)
        params, last = train_fold((x[train] - mean) / std, y[train], n_classes, generator)
        with torch.no_grad():
            guess = forward(params, (x[held_out] - mean) / std).argmax(dim=1)
        hit = guess == y[held_out]
        per_fold.append(hit.float().mean().item())
        right += torch.bincount(y[held_out][hit], minlength=n_classes)
        print(f"fold {fold}: {len(train)} rows, last batch {last:.4f}, accuracy {per_fold[-1]:.3f}")

    recall = right / torch.bincount(y, minlength=n_classes)
    print(f"mean accuracy {sum(per_fold) / FOLDS:.3f}, lowest {min(per_fold):.3f}")
    print("recall", {str(n): round(r, 3) for n, r in zip(data.target_names, recall.tolist())})


if __name__ == "__main__":
    main()
