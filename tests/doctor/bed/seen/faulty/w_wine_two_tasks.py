# expect: graph_kept_alive @ 31
"""Two tasks on the wine table: the cultivar and the colour intensity, weighed by learned uncertainties."""
import numpy as np
import torch
from torch import nn
from sklearn.datasets import load_wine
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler


class TwoHeads(nn.Module):
    def __init__(self, n_in, width=32, classes=3):
        super().__init__()
        self.trunk = nn.Sequential(nn.Linear(n_in, width), nn.Tanh())
        self.kind = nn.Linear(width, classes)
        self.colour = nn.Linear(width, 1)
        self.log_var = nn.Parameter(torch.zeros(2))

    def forward(self, x):
        h = self.trunk(x)
        return self.kind(h), self.colour(h).squeeze(1)


class Journal:
    """Keeps the loss parts of every step for the table at the end."""

    def __init__(self):
        self.lines = []

    def note(self, **parts):
        self.lines.append(parts)

    def table(self, bins=5):
        size = len(self.lines) // bins
        for b in range(bins):
            chunk = self.lines[b * size:(b + 1) * size]
            cells = [f"{name} {sum(line[name].item() for line in chunk) / size:7.4f}" for name in chunk[0]]
            yield f"steps {b * size:4d}-{(b + 1) * size - 1:4d}  " + "  ".join(cells)


class Task:
    def __init__(self, seed=4):
        torch.manual_seed(seed)
        wine = load_wine()
        colour = wine.feature_names.index("color_intensity")
        inputs = np.delete(wine.data, colour, axis=1)
        rows = np.arange(len(inputs))
        train, test = train_test_split(rows, test_size=0.3, stratify=wine.target, random_state=seed)
        x_scale = StandardScaler().fit(inputs[train])
        c_scale = StandardScaler().fit(wine.data[train, colour:colour + 1])
        x = torch.tensor(x_scale.transform(inputs), dtype=torch.float32)
        c = torch.tensor(c_scale.transform(wine.data[:, colour:colour + 1])[:, 0], dtype=torch.float32)
        k = torch.tensor(wine.target)
        self.train = x[train], k[train], c[train]
        self.test = x[test], k[test], c[test]
        self.net = TwoHeads(x.shape[1])
        self.optim = torch.optim.AdamW(self.net.parameters(), lr=5e-3, weight_decay=1e-3)
        self.journal = Journal()

    def losses(self, x, k, c):
        kind, colour = self.net(x)
        return nn.functional.cross_entropy(kind, k), nn.functional.mse_loss(colour, c)

    def run(self, epochs=40, batch=16):
        x, k, c = self.train
        for _ in range(epochs):
            self.net.train()
            for ids in torch.randperm(len(x)).split(batch):
                ce, mse = self.losses(x[ids], k[ids], c[ids])
                precision = torch.exp(-self.net.log_var)
                total = precision[0] * ce + 0.5 * precision[1] * mse + 0.5 * self.net.log_var.sum()
                self.optim.zero_grad()
                total.backward()
                self.optim.step()
                self.journal.note(kind=ce, colour=mse, total=total)

    def score(self):
        self.net.eval()
        with torch.inference_mode():
            x, k, c = self.test
            kind, colour = self.net(x)
            return (kind.argmax(1) == k).float().mean().item(), (colour - c).abs().mean().item()


task = Task()
task.run()
print("\n".join(task.journal.table()))
print("cultivar accuracy %.3f, colour error %.3f" % task.score())
