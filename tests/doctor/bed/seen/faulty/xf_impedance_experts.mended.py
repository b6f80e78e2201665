# expect: nothing
# Mixture of experts for a tabular regression: each row picks a blend of small experts.
import pandas as pd
import torch
from sklearn.datasets import make_friedman2
from sklearn.metrics import mean_absolute_error, r2_score
from sklearn.preprocessing import StandardScaler
from torch import nn
from torch.utils.data import DataLoader, Dataset, Subset, random_split

torch.manual_seed(2)

raw, target = make_friedman2(n_samples=2000, noise=20.0, random_state=2)
frame = pd.DataFrame(raw, columns=["resistance", "omega", "induct", "capac"])
frame["impedance"] = target


class ImpedanceRows(Dataset):
    def __init__(self, table):
        self.x = torch.tensor(table.drop(columns="impedance").to_numpy(), dtype=torch.float32)
        self.y = torch.tensor(table[["impedance"]].to_numpy(), dtype=torch.float32)

    def standardise(self, rows):
        """Fit both scalers on the given rows only, then transform the whole table."""
        self.x_scaler = StandardScaler().fit(self.x[rows].numpy())
        self.y_scaler = StandardScaler().fit(self.y[rows].numpy())
        self.x = torch.tensor(self.x_scaler.transform(self.x.numpy()))
        self.y = torch.tensor(self.y_scaler.transform(self.y.numpy()))

    def __len__(self):
        return len(self.x)

    def __getitem__(self, i):
        return self.x[i], self.y[i]


class ExpertBlend(nn.Module):
    def __init__(self, n_in, n_experts=4, hidden=12):
        super().__init__()
        self.experts = nn.ModuleList(
            nn.Sequential(nn.Linear(n_in, hidden), nn.Tanh(), nn.Linear(hidden, 1))
            for _ in range(n_experts)
        )
        self.router = nn.Sequential(nn.Linear(n_in, n_experts), nn.Softmax(dim=1))

    def forward(self, x):
        votes = torch.cat([expert(x) for expert in self.experts], dim=1)
        share = self.router(x)
        return (votes * share).sum(dim=1, keepdim=True)


rows = ImpedanceRows(frame)
train_part, test_part = random_split(rows, [1500, 500], generator=torch.Generator().manual_seed(2))
rows.standardise(train_part.indices)

loader = DataLoader(train_part, batch_size=50, shuffle=True)
model = ExpertBlend(n_in=4)
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)

for epoch in range(1, 26):
    model.train()
    running = 0.0
    for xb, yb in loader:
        loss = nn.functional.mse_loss(model(xb), yb)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        running += loss.item() * len(xb)
    if epoch % 5 == 0:
        print(f"epoch {epoch:2d}  train mse {running / len(train_part):.4f}")


@torch.no_grad()
def report(part: Subset):
    model.eval()
    outs, refs = zip(*((model(xb), yb) for xb, yb in DataLoader(part, batch_size=250)))
    pred = rows.y_scaler.inverse_transform(torch.cat(outs).numpy())
    true = rows.y_scaler.inverse_transform(torch.cat(refs).numpy())
    print(f"test MAE {mean_absolute_error(true, pred):.1f} ohm, R2 {r2_score(true, pred):.3f}")


report(test_part)
