# missed: unscaled_inputs @ 77
# allowed: unscaled_inputs @ 74
# allowed: unscaled_inputs @ 78
# allowed: unscaled_inputs @ 79
# allowed: unscaled_inputs @ 80
# mend: 77 →     x_fit, x_test = scale(x[fit_idx]), scale(x[test_idx])
# cultivar of a wine from 13 lab values
import torch
from torch import nn
from torch.nn import functional as F
from sklearn.datasets import load_wine
from sklearn.model_selection import train_test_split


def fetch(seed):
    data = load_wine()
    x = torch.tensor(data.data, dtype=torch.float32)
    y = torch.tensor(data.target)
    fit_idx, test_idx = train_test_split(
        range(len(y)), test_size=0.3, stratify=data.target, random_state=seed
    )
    return x, y, torch.tensor(fit_idx), torch.tensor(test_idx)


def standardizer(reference):
    """Statistics of the reference rows, frozen into a function."""
    centre = reference.mean(dim=0)
    spread = reference.std(dim=0).clamp_min(1e-8)

    def apply(rows):
        return (rows - centre) / spread

    def summary():
        ratio = (spread.max() / spread.min()).item()
        return f"{len(centre)} lab values, spreads differ by a factor of {ratio:.0f}"

    apply.summary = summary
    return apply


def make_trainer(net, rows, labels, batch, lr):
    optimizer = torch.optim.Adam(net.parameters(), lr=lr)

    def one_epoch():
        total = 0.0
        net.train()
        for idx in torch.randperm(len(rows)).split(batch):
            optimizer.zero_grad()
            loss = F.cross_entropy(net(rows[idx]), labels[idx])
            loss.backward()
            optimizer.step()
            total += loss.item() * len(idx)
        return total / len(rows)

    return one_epoch


def make_scorer(net, rows, labels):
    @torch.inference_mode()
    def score():
        net.eval()
        guess = net(rows).argmax(dim=-1)
        per_class = [
            (guess[labels == c] == c).float().mean().item() for c in labels.unique().tolist()
        ]
        return (guess == labels).float().mean().item(), per_class

    return score


def main():
    torch.manual_seed(1)
    x, y, fit_idx, test_idx = fetch(seed=12)
    scale = standardizer(x[fit_idx])
    print(scale.summary())

    x_fit, x_test = x[fit_idx], x[test_idx]
    net = nn.Sequential(nn.Linear(x.shape[1], 24), nn.ReLU(), nn.Linear(24, 3))
    step = make_trainer(net, x_fit, y[fit_idx], batch=16, lr=5e-3)
    score = make_scorer(net, x_test, y[test_idx])

    for epoch in range(1, 41):
        loss = step()
        if epoch % 8 == 0:
            print(f"{epoch:3d}  loss {loss:.4f}")

    overall, per_class = score()
    print(f"test accuracy {overall:.3f}, by cultivar " + " ".join(f"{v:.2f}" for v in per_class))


main()
