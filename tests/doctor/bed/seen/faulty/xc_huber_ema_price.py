# expect: target_broadcast @ 41
# allowed: target_broadcast @ 30
# allowed: target_broadcast @ 53
# Diabetes progression: Huber regression with an EMA of the weights.
import torch
from sklearn.datasets import load_diabetes
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from torch.utils.data import DataLoader, Dataset

SEED, EPOCHS, BATCH = 7, 25, 32


class Patients(Dataset):
    def __init__(self, rows, values):
        self.rows = rows
        self.values = values

    def __len__(self):
        return len(self.rows)

    def __getitem__(self, idx):
        return {"features": self.rows[idx], "target": float(self.values[idx])}


def collate(samples):
    features = torch.stack([torch.as_tensor(s["features"], dtype=torch.float32) for s in samples])
    target = torch.tensor([s["target"] for s in samples], dtype=torch.float32)
    return features, target


class Regressor(nn.Module):
    def __init__(self, n_in, hidden=32):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(n_in, hidden), nn.SiLU(), nn.Linear(hidden, hidden), nn.SiLU())
        self.out = nn.Linear(hidden, 1)

    def forward(self, x):
        return self.out(self.body(x))


class Fitter:
    def __init__(self, net, loader):
        self.net, self.loader = net, loader
        self.loss_fn = nn.SmoothL1Loss()
        self.opt = torch.optim.AdamW(net.parameters(), lr=3e-3, weight_decay=1e-2)
        self.ema = AveragedModel(net, multi_avg_fn=get_ema_multi_avg_fn(0.95))

    def step(self, features, target):
        self.opt.zero_grad(set_to_none=True)
        loss = self.loss_fn(self.net(features), target)
        loss.backward()
        self.opt.step()
        self.ema.update_parameters(self.net)
        return loss.item() * len(target)

    def run(self, epochs):
        self.net.train()
        for ep in range(1, epochs + 1):
            mean = sum(self.step(*batch) for batch in self.loader) / len(self.loader.dataset)
            if ep % 5 == 0:
                print(f"epoch {ep:3d}  huber {mean:.4f}")
        return self.ema


@torch.no_grad()
def mean_abs_error(net, loader, unit):
    net.eval()
    errors = [(net(x).reshape(-1) - y).abs() for x, y in loader]
    return torch.cat(errors).mean().item() * unit


def main():
    torch.manual_seed(SEED)
    X, y = load_diabetes(return_X_y=True, scaled=False)
    Xtr, Xte, ytr, yte = train_test_split(X, y, test_size=0.25, random_state=SEED)
    sx = StandardScaler().fit(Xtr)
    mu, sd = ytr.mean(), ytr.std()
    train = DataLoader(Patients(sx.transform(Xtr), (ytr - mu) / sd), BATCH, shuffle=True, collate_fn=collate)
    test = DataLoader(Patients(sx.transform(Xte), (yte - mu) / sd), BATCH, collate_fn=collate)
    fitter = Fitter(Regressor(X.shape[1]), train)
    averaged = fitter.run(EPOCHS)
    print(f"test MAE: {mean_abs_error(averaged, test, sd):.1f} (units of the score)")


if __name__ == "__main__":
    main()
