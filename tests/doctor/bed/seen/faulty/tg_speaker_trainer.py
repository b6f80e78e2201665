# expect: missing_eval @ 44
# allowed: missing_eval @ 46
"""Speaker identification on synthetic spectra with a trainer class and epoch callbacks."""
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def spectra(n, speakers, bands, gen):
    voices = torch.rand(speakers, bands, generator=gen)
    who = torch.randint(speakers, (n,), generator=gen)
    x = voices[who] + 0.35 * torch.randn(n, bands, generator=gen)
    return x, who


class SpeakerNet(nn.Sequential):
    def __init__(self, bands, speakers):
        super().__init__(
            nn.Linear(bands, 64), nn.BatchNorm1d(64), nn.ReLU(), nn.Dropout(0.3),
            nn.Linear(64, 64), nn.ReLU(), nn.Dropout(0.3), nn.Linear(64, speakers),
        )


class Trainer:
    def __init__(self, net, lr, callbacks=()):
        self.net, self.callbacks = net, callbacks
        self.opt = torch.optim.Adam(net.parameters(), lr=lr)
        self.loss = nn.CrossEntropyLoss()

    def fit(self, loader, epochs):
        for epoch in range(1, epochs + 1):
            self.net.train()
            total = 0.0
            for x, y in loader:
                self.opt.zero_grad(set_to_none=True)
                loss = self.loss(self.net(x), y)
                loss.backward()
                self.opt.step()
                total += loss.item()
            for callback in self.callbacks:
                callback(epoch, total / len(loader))

    @torch.no_grad()
    def evaluate(self, loader):
        hits = seen = 0
        for x, y in loader:
            hits += (self.net(x).argmax(dim=1) == y).sum().item()
            seen += len(y)
        return hits / seen


def report(epoch, loss):
    if epoch % 4 == 0:
        print(f"epoch {epoch}: loss {loss:.4f}")


torch.manual_seed(17)
gen = torch.Generator().manual_seed(17)
x, who = spectra(1600, 8, 32, gen)
mean, std = x[:1200].mean(0), x[:1200].std(0)
x = (x - mean) / std
train = DataLoader(TensorDataset(x[:1200], who[:1200]), batch_size=48, shuffle=True, generator=gen)
test = DataLoader(TensorDataset(x[1200:], who[1200:]), batch_size=100)
trainer = Trainer(SpeakerNet(32, 8), lr=2e-3, callbacks=[report])
trainer.fit(train, epochs=12)
print(f"test accuracy {trainer.evaluate(test):.3f}")
