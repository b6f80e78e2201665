# expect: nothing
# conv denoiser, small images of random blobs
import torch
from torch import nn
from torch.utils.data import Dataset, DataLoader


class Blobs(Dataset):
    """Images in [0, 1] with two gaussian blobs; the noise is fixed per item."""

    def __init__(self, n, seed, size=12, sigma=0.3):
        g = torch.Generator().manual_seed(seed)
        grid = torch.arange(size).float()
        yy, xx = torch.meshgrid(grid, grid, indexing="ij")
        centre = torch.rand(n, 2, 2, 1, 1, generator=g) * (size - 4) + 2
        d2 = (yy - centre[:, :, 0]) ** 2 + (xx - centre[:, :, 1]) ** 2
        self.clean = torch.exp(-d2 / 4).amax(1, keepdim=True)
        self.noisy = self.clean + sigma * torch.randn(self.clean.shape, generator=g)

    def __len__(self):
        return len(self.clean)

    def __getitem__(self, i):
        return self.noisy[i], self.clean[i]


def block(cin, cout):
    return nn.Sequential(nn.Conv2d(cin, cout, 3, padding=1), nn.BatchNorm2d(cout), nn.ReLU())


class Denoiser(nn.Module):
    def __init__(self, width=12):
        super().__init__()
        self.down = nn.Sequential(block(1, width), nn.MaxPool2d(2), block(width, 2 * width), nn.Dropout2d(0.2))
        self.up = nn.Sequential(nn.Upsample(scale_factor=2), block(2 * width, width))
        self.out = nn.Conv2d(width, 1, 1)

    def forward(self, x):
        return self.out(self.up(self.down(x)))


class Fitter:
    def __init__(self, net, lr, epochs, callbacks=()):
        self.net, self.epochs, self.callbacks = net, epochs, callbacks
        self.criterion = nn.MSELoss()
        self.opt = torch.optim.Adam(net.parameters(), lr=lr)

    def _sweep(self, loader, on_batch):
        total = count = 0
        for noisy, clean in loader:
            value = on_batch(noisy, clean)
            total += value * len(noisy)
            count += len(noisy)
        return total / count

    def _fit_batch(self, noisy, clean):
        self.opt.zero_grad()
        loss = self.criterion(self.net(noisy), clean)
        loss.backward()
        self.opt.step()
        return loss.item()

    def _score_batch(self, noisy, clean):
        return self.criterion(self.net(noisy), clean).item()

    def fit(self, train, valid):
        for epoch in range(self.epochs):
            self.net.train()
            fitted = self._sweep(train, self._fit_batch)
            scored = self.score(valid)
            for cb in self.callbacks:
                cb(epoch, fitted, scored)
        return self

    @torch.no_grad()
    def score(self, loader):
        self.net.eval()
        return self._sweep(loader, self._score_batch)


def printer(epoch, fitted, scored):
    print(f"epoch {epoch}  train {fitted:.4f}  valid {scored:.4f}")


if __name__ == "__main__":
    torch.manual_seed(8)
    train = DataLoader(Blobs(512, seed=1), batch_size=32, shuffle=True)
    valid = DataLoader(Blobs(128, seed=2), batch_size=32)
    test = DataLoader(Blobs(128, seed=3), batch_size=32)
    fitter = Fitter(Denoiser(), lr=3e-3, epochs=5, callbacks=[printer]).fit(train, valid)
    print("test mse:", round(fitter.score(test), 5))
