# expect: nothing
"""How ripe is a fruit? Spectra from a grid of ripeness values; a dataset class, subsets by position."""
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset, Subset


class Spectra(Dataset):
    def __init__(self, n=900, seed=2):
        rng = np.random.default_rng(seed)
        ripeness = np.linspace(0, 10, n)
        bands = np.arange(24)
        self.spectra = torch.tensor(
            np.stack([np.exp(-((bands - 4 - 1.5 * r) ** 2) / 20) + rng.normal(0, 0.1, 24) for r in ripeness]),
            dtype=torch.float32)
        self.ripeness = torch.tensor(ripeness, dtype=torch.float32)

    def __len__(self):
        return len(self.ripeness)

    def __getitem__(self, i):
        return self.spectra[i], self.ripeness[i]


def main():
    torch.manual_seed(0)
    spectra = Spectra()
    n_train = int(0.7 * len(spectra))
    order = torch.randperm(len(spectra)).tolist()


    train, test = Subset(spectra, order[:n_train]), Subset(spectra, order[n_train:])
    net = nn.Sequential(nn.Linear(24, 32), nn.ReLU(), nn.Linear(32, 1))
    opt = torch.optim.Adam(net.parameters(), lr=3e-3)
    for epoch in range(12):
        for x, y in DataLoader(train, batch_size=32, shuffle=True):
            loss = nn.functional.mse_loss(net(x).squeeze(1), y)
            opt.zero_grad()
            loss.backward()
            opt.step()
    said, truth = [], []
    with torch.no_grad():
        for x, y in DataLoader(test, batch_size=100):
            said.append(net(x).squeeze(1).numpy())
            truth.append(y.numpy())
    print("MAE", np.abs(np.concatenate(said) - np.concatenate(truth)).mean())


main()
