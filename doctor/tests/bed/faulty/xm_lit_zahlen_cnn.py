# expect: lr_too_low @ 36
# allowed: lr_too_low @ 66
# allowed: lr_too_low @ 73
# needs: lightning
# mend: 36 →     def __init__(self, lernrate=2e-3, weight_decay=0.01):
"""Ziffernerkennung mit Lightning, kleines ConvNet."""
import lightning as L
import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class ZiffernDaten(L.LightningDataModule):
    def __init__(self, batch_groesse=48):
        super().__init__()
        self.batch_groesse = batch_groesse

    def setup(self, stage=None):
        bilder, ziel = load_digits(return_X_y=True)
        bilder = bilder.reshape(-1, 1, 8, 8) / 16.0 * 2 - 1
        a, b, ya, yb = train_test_split(bilder, ziel, test_size=0.25, stratify=ziel, random_state=1)
        self.train = TensorDataset(torch.tensor(a, dtype=torch.float32), torch.tensor(ya))
        self.val = TensorDataset(torch.tensor(b, dtype=torch.float32), torch.tensor(yb))

    def train_dataloader(self):
        return DataLoader(self.train, batch_size=self.batch_groesse, shuffle=True)

    def val_dataloader(self):
        return DataLoader(self.val, batch_size=150)


class ZiffernNetz(L.LightningModule):
    def __init__(self, lernrate=2e-6, weight_decay=0.01):
        super().__init__()
        self.save_hyperparameters()
        self.netz = nn.Sequential(
            nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.Flatten(),
            nn.Linear(32 * 16, 64), nn.ReLU(), nn.Linear(64, 10),
        )

    def forward(self, x):
        return self.netz(x)

    def training_step(self, batch, _):
        x, y = batch
        loss = F.cross_entropy(self(x), y)
        self.log("train_loss", loss, on_step=False, on_epoch=True)
        return loss

    def validation_step(self, batch, _):
        x, y = batch
        logits = self(x)
        treffer = (logits.argmax(dim=1) == y).float().mean()
        self.log_dict({"val_loss": F.cross_entropy(logits, y), "val_acc": treffer}, batch_size=len(y))

    def on_train_epoch_end(self):
        m = self.trainer.callback_metrics
        print(f"Epoche {self.current_epoch + 1:2d}: train_loss {m['train_loss']:.3f} "
              f"val_loss {m['val_loss']:.3f} val_acc {m['val_acc']:.3f}")

    def configure_optimizers(self):
        return torch.optim.AdamW(self.parameters(), lr=self.hparams.lernrate,
                                 weight_decay=self.hparams.weight_decay)


def main():
    L.seed_everything(99)
    daten = ZiffernDaten()
    modell = ZiffernNetz()
    trainer = L.Trainer(max_epochs=5, accelerator="cpu", logger=False,
                        enable_checkpointing=False, enable_progress_bar=False,
                        enable_model_summary=False, num_sanity_val_steps=0)
    trainer.fit(modell, datamodule=daten)


if __name__ == "__main__":
    main()
