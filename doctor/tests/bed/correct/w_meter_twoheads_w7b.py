# expect: nothing
"""Fine-tuning: an encoder is first taught to fill gaps in meter readings, then frozen below two new heads (household type and consumption)."""
import numpy as np
import torch
from torch import nn


def households(n=900, hours=24, seed=10):
    rng = np.random.default_rng(seed)
    kind = rng.integers(0, 3, n)
    t = np.arange(hours)
    peaks = np.array([[8, 19], [12, 18], [2, 23]])[kind]
    gap = (t - peaks[..., None] + 12) % 24 - 12
    curve = np.exp(-0.5 * (gap / 2.0) ** 2).sum(1)
    level = rng.uniform(0.5, 2.0, (n, 1))
    x = level * (0.4 + curve) + rng.normal(0, 0.15, (n, hours))
    return x.astype("float32"), kind, (level[:, 0] * 10 + rng.normal(0, 0.4, n)).astype("float32")


class Encoder(nn.Module):
    def __init__(self, hours, size):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(2 * hours, 64), nn.GELU(), nn.Linear(64, size), nn.GELU())

    def forward(self, x, known=None):
        known = torch.ones_like(x) if known is None else known
        return self.layers(torch.cat([x * known, known], dim=1))


def pretrain(encoder, x, epochs=15):
    decoder = nn.Linear(32, x.shape[1])
    optimizer = torch.optim.Adam([*encoder.parameters(), *decoder.parameters()], lr=3e-3)
    for epoch in range(epochs):
        total = 0.0
        for rows in torch.randperm(len(x)).split(60):
            batch = x[rows]
            known = (torch.rand_like(batch) > 0.3).float()
            hidden = 1.0 - known
            error = (decoder(encoder(batch, known)) - batch).square() * hidden
            loss = error.sum() / hidden.sum()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() * len(rows) / len(x)
        if epoch % 5 == 4:
            print(f"filling gaps, epoch {epoch + 1}: {total:.4f}")


def main():
    torch.manual_seed(10)
    x, kind, use = households()
    order = np.random.default_rng(10).permutation(len(x))
    tr, te = order[:700], order[700:]
    mean, std = x[tr].mean(0), x[tr].std(0)
    use_mean, use_std = use[tr].mean(), use[tr].std()
    x = torch.tensor((x - mean) / std)
    kind, use = torch.tensor(kind), torch.tensor((use - use_mean) / use_std)

    encoder = Encoder(x.shape[1], 32)
    pretrain(encoder, x[tr])
    encoder.requires_grad_(False).eval()
    with torch.no_grad():
        features = encoder(x)
    features = (features - features[tr].mean(0)) / (features[tr].std(0) + 1e-2)

    heads = nn.ModuleDict({"kind": nn.Linear(32, 3), "use": nn.Linear(32, 1)})
    optimizers = {name: torch.optim.Adam(head.parameters(), lr=1e-2) for name, head in heads.items()}
    for epoch in range(20):
        heads.train()
        for rows in torch.tensor(tr)[torch.randperm(len(tr))].split(70):
            losses = {
                "kind": nn.functional.cross_entropy(heads["kind"](features[rows]), kind[rows]),
                "use": nn.functional.mse_loss(heads["use"](features[rows]).squeeze(1), use[rows]),
            }
            for name, optimizer in optimizers.items():
                optimizer.zero_grad()
                losses[name].backward()
                optimizer.step()

    heads.eval()
    with torch.no_grad():
        right = (heads["kind"](features[te]).argmax(1) == kind[te]).float().mean().item()
        error = (heads["use"](features[te]).squeeze(1) - use[te]).abs().mean().item() * use_std
    print(f"test: type right {right:.3f}, consumption off by {error:.3f} (spread {use_std:.3f})")


if __name__ == "__main__":
    main()
