# expect: nothing
# needs: lightning
"""LightningModule for a tabular regression (simulated house prices)."""
import logging
import warnings

import lightning as L
import torch
import torch.nn.functional as F
from sklearn.datasets import make_regression
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

warnings.filterwarnings("ignore")
logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)


class PriceData(L.LightningDataModule):
    def __init__(self, batch_size=64):
        super().__init__()
        self.batch_size = batch_size

    def setup(self, stage=None):
        X, y = make_regression(n_samples=1400, n_features=12, n_informative=8, noise=8.0, random_state=21)
        X, y = torch.tensor(X, dtype=torch.float32), torch.tensor(y, dtype=torch.float32)
        parts = torch.split(torch.randperm(len(X), generator=torch.Generator().manual_seed(21)), [900, 200, 300])
        mu, sd = X[parts[0]].mean(0), X[parts[0]].std(0)
        y_mu, y_sd = y[parts[0]].mean(), y[parts[0]].std()
        X, y = (X - mu) / sd, (y - y_mu) / y_sd
        self.train_ds, self.val_ds, self.test_ds = (TensorDataset(X[i], y[i]) for i in parts)

    def train_dataloader(self):
        return DataLoader(self.train_ds, batch_size=self.batch_size, shuffle=True)

    def val_dataloader(self):
        return DataLoader(self.val_ds, batch_size=self.batch_size)

    def test_dataloader(self):
        return DataLoader(self.test_ds, batch_size=self.batch_size)


class PriceModel(L.LightningModule):
    def __init__(self, n_features=12, hidden=64, lr=3e-3):
        super().__init__()
        self.save_hyperparameters()
        self.net = nn.Sequential(nn.Linear(n_features, hidden), nn.ReLU(), nn.Linear(hidden, 1))
        self.reset_sums()

    def reset_sums(self):
        self.sq_err, self.targets = 0.0, []

    def forward(self, x):
        return self.net(x)

    def training_step(self, batch, batch_idx):
        x, y = batch
        return F.mse_loss(self(x).squeeze(1), y)

    def shared_eval_step(self, batch):
        x, y = batch
        pred = self(x).squeeze(1)
        self.sq_err += ((pred - y) ** 2).sum().item()
        self.targets.append(y)

    def r2(self):
        y = torch.cat(self.targets)
        score = 1.0 - self.sq_err / ((y - y.mean()) ** 2).sum().item()
        self.reset_sums()
        return score

    def validation_step(self, batch, batch_idx):
        self.shared_eval_step(batch)

    def on_validation_epoch_end(self):
        score = self.r2()
        self.log("val_r2", score)
        print(f"epoch {self.current_epoch}: val R2 {score:.3f}")

    def test_step(self, batch, batch_idx):
        self.shared_eval_step(batch)

    def on_test_epoch_end(self):
        self.log("test_r2", self.r2())

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), lr=self.hparams.lr)


def main():
    L.seed_everything(21, verbose=False)
    trainer = L.Trainer(
        max_epochs=8, accelerator="cpu", logger=False, enable_checkpointing=False,
        enable_progress_bar=False, enable_model_summary=False, num_sanity_val_steps=0,
    )
    data, model = PriceData(), PriceModel()
    trainer.fit(model, data)
    result = trainer.test(model, data, verbose=False)[0]
    print(f"test R2 {result['test_r2']:.3f}")


if __name__ == "__main__":
    main()
