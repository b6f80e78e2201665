# expect: scaler_leakage @ 18
"""A data module scales everything in prepare() and splits in setup()."""

import torch
from sklearn.datasets import load_diabetes
from sklearn.preprocessing import StandardScaler
from torch import nn
from torch.utils.data import DataLoader, Subset, TensorDataset


class DiabetesData:
    def __init__(self, batch_size=32):
        self.batch_size = batch_size

    def prepare(self):
        X, y = load_diabetes(return_X_y=True, scaled=False)
        self.scaler = StandardScaler()
        X = self.scaler.fit_transform(X)
        y = (y - 150) / 77
        self.dataset = TensorDataset(torch.tensor(X).float(), torch.tensor(y).float().unsqueeze(1))

    def setup(self):
        order = torch.randperm(len(self.dataset)).tolist()
        self.train, self.val = Subset(self.dataset, order[:350]), Subset(self.dataset, order[350:])

    def train_dataloader(self):
        return DataLoader(self.train, self.batch_size, shuffle=True)

    def val_dataloader(self):
        return DataLoader(self.val, self.batch_size)


class Regressor(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(10, 24), nn.ReLU(), nn.Linear(24, 1))

    def forward(self, x):
        return self.net(x)

    def training_step(self, batch):
        x, y = batch
        return nn.functional.mse_loss(self(x), y)

    def validation_step(self, batch):
        x, y = batch
        return nn.functional.mse_loss(self(x), y).item()


torch.manual_seed(0)
data = DiabetesData()
data.prepare()
data.setup()
module = Regressor()
optimizer = torch.optim.Adam(module.parameters(), lr=5e-3)
for epoch in range(8):
    module.train()
    for batch in data.train_dataloader():
        loss = module.training_step(batch)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    module.eval()
    with torch.no_grad():
        losses = [module.validation_step(batch) for batch in data.val_dataloader()]
    print(f"epoch {epoch} val_loss {sum(losses) / len(losses):.3f}")
