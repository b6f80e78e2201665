# missed: label_misaligned @ 35
# mend: 35 →     for path in sorted(folder.glob("scan*.npy"), key=lambda p: int(p.stem[4:])):
"""Spectra in one file each, scan0.npy to scan399.npy; the grades are a list in order of the scans."""

import json
import tempfile
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def measure(folder):
    rng = np.random.default_rng(8)
    grades = rng.integers(0, 4, 400)
    for i, grade in enumerate(grades):
        peak = np.exp(-0.5 * ((np.arange(48) - 8 - 10 * grade) / 3.0) ** 2)
        np.save(folder / f"scan{i}.npy", (peak + rng.normal(0, 0.3, 48)).astype(np.float32))
    (folder / "grades.json").write_text(json.dumps(grades.tolist()))


def read(folder):
    """All scans, and the grade of each.

    The scans are small, so that all of them are
    read at once.
    """
    grades = json.loads((folder / "grades.json").read_text())

    scans = []


    for path in sorted(folder.glob("scan*.npy")):
        scans.append(np.load(path))
    return torch.from_numpy(np.stack(scans)), torch.tensor(grades)


torch.manual_seed(8)
with tempfile.TemporaryDirectory() as folder:
    measure(Path(folder))
    scans, grades = read(Path(folder))
order = torch.randperm(400)
train, test = order[:300], order[300:]
loader = DataLoader(TensorDataset(scans[train], grades[train]), batch_size=30, shuffle=True)
net = nn.Sequential(nn.Linear(48, 64), nn.ReLU(), nn.Linear(64, 4))
optimizer = torch.optim.Adam(net.parameters(), lr=2e-3)
for epoch in range(10):
    for x, y in loader:
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(net(x), y)
        loss.backward()
        optimizer.step()
    print(f"epoch {epoch}: {loss.item():.3f}")
with torch.no_grad():
    said = net(scans[test]).argmax(dim=1)
print(f"test accuracy {(said == grades[test]).float().mean():.3f}")
