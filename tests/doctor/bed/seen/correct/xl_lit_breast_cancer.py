# expect: nothing
# needs: lightning
import logging
import warnings

import lightning as L
import torch
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch import nn, optim, utils

logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
warnings.filterwarnings("ignore", ".*does not have many workers.*")


class CancerDataModule(L.LightningDataModule):
    def __init__(self, batch_size: int = 32, seed: int = 0):
        super().__init__()
        self.batch_size = batch_size
        self.seed = seed

    def setup(self, stage: str):
        X, y = load_breast_cancer(return_X_y=True)
        X_rest, X_test, y_rest, y_test = train_test_split(
            X, y, test_size=0.2, stratify=y, random_state=self.seed)
        X_train, X_val, y_train, y_val = train_test_split(
            X_rest, y_rest, test_size=0.2, stratify=y_rest, random_state=self.seed)
        scaler = StandardScaler().fit(X_train)

        def as_set(X, y):
            return utils.data.TensorDataset(
                torch.tensor(scaler.transform(X), dtype=torch.float32),
                torch.tensor(y, dtype=torch.float32))

        self.train_set = as_set(X_train, y_train)
        self.val_set = as_set(X_val, y_val)
        self.test_set = as_set(X_test, y_test)

    def train_dataloader(self):
        return utils.data.DataLoader(self.train_set, batch_size=self.batch_size, shuffle=True)

    def val_dataloader(self):
        return utils.data.DataLoader(self.val_set, batch_size=256)

    def test_dataloader(self):
        return utils.data.DataLoader(self.test_set, batch_size=256)


class LitClassifier(L.LightningModule):
    def __init__(self, in_dim: int = 30, hidden: int = 32, lr: float = 2e-3, epochs: int = 20):
        super().__init__()
        self.save_hyperparameters()
        self.model = nn.Sequential(
            nn.Linear(in_dim, hidden), nn.ReLU(), nn.Dropout(0.2), nn.Linear(hidden, 1))
        self.loss_fn = nn.BCEWithLogitsLoss()

    def forward(self, x):
        return self.model(x).squeeze(-1)

    def training_step(self, batch, batch_idx):
        x, y = batch
        loss = self.loss_fn(self(x), y)
        self.log("train_loss", loss, on_step=False, on_epoch=True)
        return loss

    def validation_step(self, batch, batch_idx):
        self._shared_eval(batch, "val")

    def test_step(self, batch, batch_idx):
        self._shared_eval(batch, "test")

    def _shared_eval(self, batch, prefix):
        x, y = batch
        logits = self(x)
        acc = ((torch.sigmoid(logits) > 0.5).float() == y).float().mean()
        self.log(f"{prefix}_loss", self.loss_fn(logits, y))
        self.log(f"{prefix}_acc", acc)

    def configure_optimizers(self):
        optimizer = optim.AdamW(self.parameters(), lr=self.hparams.lr, weight_decay=1e-2)
        scheduler = optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=self.hparams.epochs)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": scheduler, "interval": "epoch"}}


if __name__ == "__main__":
    L.seed_everything(0, verbose=False)
    dm = CancerDataModule()
    model = LitClassifier()
    trainer = L.Trainer(max_epochs=model.hparams.epochs, accelerator="cpu", gradient_clip_val=1.0,
                        logger=False, enable_checkpointing=False, enable_progress_bar=False,
                        enable_model_summary=False, log_every_n_steps=5)
    trainer.fit(model, datamodule=dm)
    print({k: round(v.item(), 4) for k, v in trainer.callback_metrics.items()})
    metrics = trainer.test(model, datamodule=dm, verbose=False)
    print({k: round(v, 4) for k, v in metrics[0].items()})
