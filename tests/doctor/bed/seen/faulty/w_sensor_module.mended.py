# expect: nothing
"""Machine sensors, a data module in the Lightning manner, and a net that names the running state."""
import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, Subset, TensorDataset


def read_sensors(n=900, seed=27):
    rng = np.random.default_rng(seed)
    state = rng.integers(0, 3, n)
    centres = rng.normal(size=(3, 8)) * 0.9
    mix = rng.normal(size=(8, 8)) * 0.4 + np.eye(8)
    x = (centres[state] + rng.normal(size=(n, 8))) @ mix
    unit = np.array([0.01, 1.0, 40.0, 300.0, 5.0, 0.2, 12.0, 90.0])
    offset = np.array([0.2, 20.0, 300.0, 1500.0, 0.0, 1.0, 50.0, 100.0])
    return (x * unit + offset).astype(np.float32), state


class SensorData:
    def __init__(self, batch_size=32, seed=27):
        self.batch_size, self.seed = batch_size, seed

    def prepare(self):
        x, y = read_sensors()
        self.x, self.y = torch.from_numpy(x), torch.from_numpy(y)

    def setup(self):
        order = torch.randperm(len(self.x), generator=torch.Generator().manual_seed(self.seed))
        n_train, n_val = int(0.6 * len(order)), int(0.15 * len(order))
        self.train_idx, self.val_idx, self.test_idx = order.split([n_train, n_val, len(order) - n_train - n_val])
        self.mean, self.std = self._statistics(self.x[self.train_idx])
        self.dataset = TensorDataset((self.x - self.mean) / self.std, self.y)

    @staticmethod
    def _statistics(rows):
        return rows.mean(dim=0), rows.std(dim=0).clamp_min(1e-6)

    def train_dataloader(self):
        return DataLoader(Subset(self.dataset, self.train_idx.tolist()), batch_size=self.batch_size, shuffle=True)

    def val_dataloader(self):
        return DataLoader(Subset(self.dataset, self.val_idx.tolist()), batch_size=256)

    def test_dataloader(self):
        return DataLoader(Subset(self.dataset, self.test_idx.tolist()), batch_size=256)


class StateNet(nn.Module):
    def __init__(self, n_in=8, n_out=3):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(n_in, 32), nn.ReLU(), nn.Dropout(0.1), nn.Linear(32, n_out))

    def forward(self, x):
        return self.net(x)

    def training_step(self, batch):
        x, y = batch
        return F.cross_entropy(self(x), y)

    @torch.no_grad()
    def evaluate(self, loader):
        self.eval()
        loss = hits = n = 0
        for x, y in loader:
            out = self(x)
            loss += F.cross_entropy(out, y, reduction="sum").item()
            hits += (out.argmax(1) == y).sum().item()
            n += len(y)
        return loss / n, hits / n


def main():
    torch.manual_seed(27)
    data = SensorData()
    data.prepare()
    data.setup()
    net = StateNet()
    optimizer = torch.optim.Adam(net.parameters(), lr=3e-3)
    best, best_weights, waited = float("inf"), None, 0
    for epoch in range(1, 41):
        net.train()
        for batch in data.train_dataloader():
            loss = net.training_step(batch)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        val_loss, val_acc = net.evaluate(data.val_dataloader())
        if val_loss < best - 1e-4:
            best, waited = val_loss, 0
            best_weights = {k: v.clone() for k, v in net.state_dict().items()}
        else:
            waited += 1
        if epoch % 5 == 0:
            print(f"epoch {epoch:2d}  val loss {val_loss:.4f}  val accuracy {val_acc:.3f}")
        if waited == 6:
            break
    net.load_state_dict(best_weights)
    print("test loss %.4f, accuracy %.3f" % net.evaluate(data.test_dataloader()))


if __name__ == "__main__":
    main()
