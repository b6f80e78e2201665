# expect: nothing
# needs: lightning
import os
import tempfile
import warnings

import lightning as L
import torch
from lightning.pytorch.callbacks import EarlyStopping, ModelCheckpoint
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn, optim, utils

warnings.filterwarnings("ignore", ".*does not have many workers.*")


class DigitsDataModule(L.LightningDataModule):
    def __init__(self, batch_size=64):
        super().__init__()
        self.batch_size = batch_size

    def setup(self, stage=None):
        X, y = load_digits(return_X_y=True)
        X_fit, X_test, y_fit, y_test = train_test_split(
            X / 16.0, y, test_size=0.2, stratify=y, random_state=0)
        X_train, X_val, y_train, y_val = train_test_split(
            X_fit, y_fit, test_size=0.2, stratify=y_fit, random_state=0)
        self.train_ds = self._dataset(X_train, y_train)
        self.val_ds = self._dataset(X_val, y_val)
        self.test_ds = self._dataset(X_test, y_test)

    @staticmethod
    def _dataset(X, y):
        return utils.data.TensorDataset(torch.tensor(X, dtype=torch.float32).view(-1, 1, 8, 8),
                                        torch.tensor(y))

    def train_dataloader(self):
        return utils.data.DataLoader(self.train_ds, batch_size=self.batch_size, shuffle=True)

    def val_dataloader(self):
        return utils.data.DataLoader(self.val_ds, batch_size=256)

    def test_dataloader(self):
        return utils.data.DataLoader(self.test_ds, batch_size=256)


class LitAutoEncoder(L.LightningModule):
    """Denoising autoencoder: the input is corrupted, the clean image is the target."""

    def __init__(self, latent=12, lr=3e-3, noise=0.2):
        super().__init__()
        self.save_hyperparameters()
        self.encoder = nn.Sequential(
            nn.Conv2d(1, 16, 3, stride=2, padding=1), nn.ReLU(), nn.Flatten(),
            nn.Linear(16 * 16, latent))
        self.decoder = nn.Sequential(
            nn.Linear(latent, 16 * 16), nn.ReLU(), nn.Unflatten(1, (16, 4, 4)),
            nn.ConvTranspose2d(16, 1, 4, stride=2, padding=1))

    def forward(self, x):
        return self.decoder(self.encoder(x))

    def training_step(self, batch, batch_idx):
        x, _ = batch
        x_hat = self(x + self.hparams.noise * torch.randn_like(x))
        loss = nn.functional.mse_loss(x_hat, x)
        self.log("train_loss", loss, on_epoch=True, on_step=False)
        return loss

    def validation_step(self, batch, batch_idx):
        x, _ = batch
        self.log("val_loss", nn.functional.mse_loss(self(x), x))

    def test_step(self, batch, batch_idx):
        x, _ = batch
        self.log("test_loss", nn.functional.mse_loss(self(x), x))

    def configure_optimizers(self):
        optimizer = optim.Adam(self.parameters(), lr=self.hparams.lr)
        scheduler = optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=self.trainer.max_epochs)
        return {"optimizer": optimizer,
                "lr_scheduler": {"scheduler": scheduler, "interval": "epoch"}}


class PrintLosses(L.Callback):
    def on_train_epoch_end(self, trainer, pl_module):
        m = trainer.callback_metrics
        if trainer.current_epoch % 4 == 3:
            print(f"epoch {trainer.current_epoch + 1}: train {m['train_loss']:.4f} "
                  f"val {m['val_loss']:.4f}")


if __name__ == "__main__":
    L.seed_everything(7)
    datamodule = DigitsDataModule()
    model = LitAutoEncoder()
    with tempfile.TemporaryDirectory() as tmp:
        checkpoint = ModelCheckpoint(dirpath=os.path.join(tmp, "ckpt"), monitor="val_loss",
                                     mode="min", save_top_k=1)
        trainer = L.Trainer(
            max_epochs=12, accelerator="cpu", devices=1, logger=False,
            enable_progress_bar=False, enable_model_summary=False,
            callbacks=[EarlyStopping("val_loss", mode="min", patience=4), checkpoint, PrintLosses()])
        trainer.fit(model, datamodule=datamodule)
        result = trainer.test(ckpt_path="best", datamodule=datamodule, verbose=False)
    print(f"test mse: {result[0]['test_loss']:.4f}")
