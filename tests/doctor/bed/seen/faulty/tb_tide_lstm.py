# expect: weight_decay_too_high @ 24
# allowed: weight_decay_too_high @ 43
"""Tide heights three hours ahead with an LSTM, in the shape of a LightningModule with its own little Trainer."""
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def tide(hours, rng):
    t = np.arange(hours)
    height = 1.6 * np.sin(2 * np.pi * t / 12.42) + 0.6 * np.sin(2 * np.pi * t / 12.0 + 1) + 0.3 * np.sin(2 * np.pi * t / 25.8)
    return height + 0.08 * rng.normal(size=hours)


def windows(series, past, ahead):
    n = len(series) - past - ahead + 1
    x = np.stack([series[i:i + past] for i in range(n)])[..., None]
    y = series[past + ahead - 1:past + ahead - 1 + n]
    return TensorDataset(torch.tensor(x, dtype=torch.float32), torch.tensor(y, dtype=torch.float32))


class TideModule(nn.Module):
    def __init__(self, hidden=24, lr=5e-3, weight_decay=0.3):
        super().__init__()
        self.lstm = nn.LSTM(1, hidden, batch_first=True)
        self.head = nn.Linear(hidden, 1)
        self.lr, self.weight_decay = lr, weight_decay

    def forward(self, x):
        _, (h, _) = self.lstm(x)
        return self.head(h[-1]).squeeze(-1)

    def training_step(self, batch):
        x, y = batch
        return nn.functional.smooth_l1_loss(self(x), y)

    def test_step(self, batch):
        x, y = batch
        return (self(x) - y).abs()

    def configure_optimizers(self):
        opt = torch.optim.Adam(self.parameters(), lr=self.lr, weight_decay=self.weight_decay)
        return opt, torch.optim.lr_scheduler.StepLR(opt, step_size=6, gamma=0.4)


class Trainer:
    def __init__(self, max_epochs):
        self.max_epochs = max_epochs

    def fit(self, module, loader):
        opt, schedule = module.configure_optimizers()
        for epoch in range(self.max_epochs):
            module.train()
            seen = []
            for batch in loader:
                loss = module.training_step(batch)
                opt.zero_grad()
                loss.backward()
                nn.utils.clip_grad_norm_(module.parameters(), 5.0)
                opt.step()
                seen.append(loss.item())
            schedule.step()
            if epoch % 4 == 0:
                print(f"epoch {epoch}: train_loss {np.mean(seen):.4f}")

    @torch.no_grad()
    def test(self, module, loader):
        module.eval()
        return torch.cat([module.test_step(batch) for batch in loader]).mean().item()


torch.manual_seed(9)
series = tide(1500, np.random.default_rng(9))
past, cut = 24, 1100
scale = series[:cut].std()
train_set = windows(series[:cut] / scale, past, ahead=3)
test_set = windows(series[cut:] / scale, past, ahead=3)
module = TideModule()
trainer = Trainer(max_epochs=14)
trainer.fit(module, DataLoader(train_set, batch_size=64, shuffle=True))
error = trainer.test(module, DataLoader(test_set, batch_size=200))
print(f"test MAE {error * scale:.3f} m (spread of the tide {series[:cut].std():.3f} m)")
