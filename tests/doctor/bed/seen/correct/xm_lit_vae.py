# expect: nothing
# needs: lightning
"""LightningModule: a variational autoencoder for digits with checkpoint, early stopping and a final test."""
import logging
import tempfile
import warnings

import lightning as L
import torch
import torch.nn.functional as F
from lightning.pytorch.callbacks import EarlyStopping, ModelCheckpoint
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset, random_split

warnings.filterwarnings("ignore")
logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)


class LitVAE(L.LightningModule):
    def __init__(self, latent_dim=8, lr=3e-3):
        super().__init__()
        self.save_hyperparameters()
        self.encoder = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 2 * latent_dim))
        self.decoder = nn.Sequential(nn.Linear(latent_dim, 64), nn.ReLU(), nn.Linear(64, 64))

    def forward(self, x):
        mu, logvar = self.encoder(x).chunk(2, dim=1)
        return mu, logvar

    def _negative_elbo(self, batch):
        (x,) = batch
        mu, logvar = self(x)
        z = mu
        if self.training:
            z = mu + torch.exp(0.5 * logvar) * torch.randn_like(mu)
        bce = F.binary_cross_entropy_with_logits(self.decoder(z), x, reduction="none").sum(dim=1)
        kld = -0.5 * (1 + logvar - mu.pow(2) - logvar.exp()).sum(dim=1)
        return (bce + kld).mean()

    def training_step(self, batch, batch_idx):
        loss = self._negative_elbo(batch)
        self.log("train_loss", loss, on_step=False, on_epoch=True)
        return loss

    def validation_step(self, batch, batch_idx):
        self.log("val_loss", self._negative_elbo(batch))

    def test_step(self, batch, batch_idx):
        self.log("test_loss", self._negative_elbo(batch))

    def configure_optimizers(self):
        optimizer = torch.optim.Adam(self.parameters(), lr=self.hparams.lr)
        scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, patience=2)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": scheduler, "monitor": "val_loss"}}


class History(L.Callback):
    def on_validation_epoch_end(self, trainer, pl_module):
        if not trainer.sanity_checking:
            print(f"epoch {trainer.current_epoch}: val loss {trainer.callback_metrics['val_loss'].item():.4f}")


def main():
    L.seed_everything(7, verbose=False)
    pixels = torch.tensor(load_digits().data / 16.0, dtype=torch.float32)
    dataset = TensorDataset(pixels)
    train, val, test = random_split(dataset, [1200, 250, len(dataset) - 1450])
    train_loader = DataLoader(train, batch_size=32, shuffle=True)
    val_loader = DataLoader(val, batch_size=128)
    test_loader = DataLoader(test, batch_size=128)

    with tempfile.TemporaryDirectory() as folder:
        checkpoint = ModelCheckpoint(dirpath=folder, monitor="val_loss", mode="min", save_top_k=1)
        trainer = L.Trainer(
            max_epochs=8, accelerator="cpu", logger=False, enable_progress_bar=False,
            enable_model_summary=False,
            callbacks=[checkpoint, EarlyStopping("val_loss", patience=3), History()],
        )
        trainer.fit(LitVAE(), train_loader, val_loader)
        model = LitVAE.load_from_checkpoint(checkpoint.best_model_path)
        result = trainer.test(model, test_loader, verbose=False)[0]
    print(f"best val loss {checkpoint.best_model_score.item():.4f}, test loss {result['test_loss']:.4f}")

    model.eval()
    with torch.no_grad():
        embeddings, _ = model(next(iter(test_loader))[0])
    print("embeddings", tuple(embeddings.shape))


if __name__ == "__main__":
    main()
