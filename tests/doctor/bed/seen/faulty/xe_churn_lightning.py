# expect: selection_on_test @ 48
# needs: lightning
# allowed: selection_on_test @ 84
# allowed: selection_on_test @ 89
# allowed: selection_on_test @ 90
"""Customer churn (synthetic) with a LightningModule, checkpoint by accuracy, figure from the test rows."""
import logging
import tempfile
import warnings

import lightning as L
import torch
from lightning.pytorch.callbacks import ModelCheckpoint
from sklearn.datasets import make_classification
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
warnings.filterwarnings("ignore")


class Customers(L.LightningDataModule):
    def __init__(self, n=520, seed=11):
        super().__init__()
        self.n, self.seed = n, seed

    def setup(self, stage=None):
        x, y = make_classification(
            n_samples=self.n, n_features=20, n_informative=5, n_redundant=3,
            class_sep=0.6, flip_y=0.2, random_state=self.seed,
        )
        xa, xt, ya, yt = train_test_split(x, y, test_size=60, stratify=y, random_state=self.seed)
        xa, xv, ya, yv = train_test_split(xa, ya, test_size=60, stratify=ya, random_state=self.seed)
        m, s = xa.mean(0), xa.std(0)
        self.parts = {
            k: TensorDataset(torch.tensor((a - m) / s, dtype=torch.float32), torch.tensor(b))
            for k, a, b in (("fit", xa, ya), ("val", xv, yv), ("test", xt, yt))
        }

    def loader(self, part, shuffle=False):
        return DataLoader(self.parts[part], batch_size=32, shuffle=shuffle)

    def train_dataloader(self):
        return self.loader("fit", shuffle=True)

    def val_dataloader(self):
        return self.loader("test")

    def test_dataloader(self):
        return self.loader("test")


class Churn(L.LightningModule):
    def __init__(self, width=32, lr=1e-2):
        super().__init__()
        self.lr = lr
        self.net = nn.Sequential(nn.Linear(20, width), nn.ReLU(), nn.Dropout(0.3), nn.Linear(width, 2))
        self.loss = nn.CrossEntropyLoss()

    def training_step(self, batch, _):
        x, y = batch
        return self.loss(self.net(x), y)

    def _score(self, batch, name):
        x, y = batch
        hit = (self.net(x).argmax(dim=1) == y).float().mean()
        self.log(name, hit, on_epoch=True, on_step=False, batch_size=len(y))

    def validation_step(self, batch, _):
        self._score(batch, "held_acc")

    def test_step(self, batch, _):
        self._score(batch, "test_acc")

    def configure_optimizers(self):
        return torch.optim.AdamW(self.parameters(), lr=self.lr, weight_decay=1e-2)


def main():
    L.seed_everything(11, verbose=False)
    data, model = Customers(), Churn()
    with tempfile.TemporaryDirectory() as folder:
        keep = ModelCheckpoint(dirpath=folder, monitor="held_acc", mode="max")
        trainer = L.Trainer(
            max_epochs=15, callbacks=[keep], logger=False, accelerator="cpu",
            enable_progress_bar=False, enable_model_summary=False, num_sanity_val_steps=0,
        )
        trainer.fit(model, datamodule=data)
        out = trainer.test(ckpt_path="best", datamodule=data, verbose=False)[0]
    print(f"best epoch's held-out accuracy {keep.best_model_score:.3f}")
    print(f"test accuracy {out['test_acc']:.3f}")


if __name__ == "__main__":
    main()
