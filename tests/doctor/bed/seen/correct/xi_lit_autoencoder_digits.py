# expect: nothing
# needs: lightning
"""Autoencoder on digits, after the first pages of the Lightning docs."""
import logging
import warnings
import lightning as L
import torch
from torch import nn
from sklearn.datasets import load_digits
from torch.utils.data import DataLoader, TensorDataset, random_split

warnings.filterwarnings("ignore")
logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)


class LitAutoEncoder(L.LightningModule):
    def __init__(self, code=8):
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(64, 48), nn.ReLU(), nn.Linear(48, code))
        self.decoder = nn.Sequential(nn.Linear(code, 48), nn.ReLU(), nn.Linear(48, 64))

    def forward(self, x):
        return self.decoder(self.encoder(x))

    def training_step(self, batch, batch_idx):
        (x,) = batch
        return nn.functional.mse_loss(self(x), x)

    def validation_step(self, batch, batch_idx):
        (x,) = batch
        self.log("val_loss", nn.functional.mse_loss(self(x), x))

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), lr=2e-3)


class Report(L.Callback):
    def on_validation_epoch_end(self, trainer, module):
        if not trainer.sanity_checking and trainer.current_epoch % 2 == 1:
            print(f"epoch {trainer.current_epoch + 1} val_loss {trainer.callback_metrics['val_loss']:.4f}")


if __name__ == "__main__":
    L.seed_everything(42, verbose=False)
    images = torch.tensor(load_digits().data / 16.0, dtype=torch.float32)
    train_set, val_set = random_split(TensorDataset(images), [1400, len(images) - 1400])
    trainer = L.Trainer(max_epochs=8, accelerator="cpu", logger=False, callbacks=[Report()],
                        enable_checkpointing=False, enable_progress_bar=False, enable_model_summary=False)
    trainer.fit(LitAutoEncoder(), DataLoader(train_set, batch_size=64, shuffle=True),
                DataLoader(val_set, batch_size=200))
