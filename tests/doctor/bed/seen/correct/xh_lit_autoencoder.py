# expect: nothing
# needs: lightning
import lightning as L
import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset, random_split


class LitAutoEncoder(L.LightningModule):
    def __init__(self, latent=8, lr=3e-3):
        super().__init__()
        self.save_hyperparameters()
        self.encoder = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, latent))
        self.decoder = nn.Sequential(nn.Linear(latent, 64), nn.ReLU(), nn.Linear(64, 64))

    def forward(self, x):
        return self.encoder(x)

    def _reconstruction_loss(self, batch):
        (x,) = batch
        x_hat = self.decoder(self.encoder(x))
        return F.mse_loss(x_hat, x)

    def training_step(self, batch, batch_idx):
        loss = self._reconstruction_loss(batch)
        self.log("train_loss", loss, on_step=False, on_epoch=True)
        return loss

    def validation_step(self, batch, batch_idx):
        self.log("val_loss", self._reconstruction_loss(batch))

    def test_step(self, batch, batch_idx):
        self.log("test_loss", self._reconstruction_loss(batch))

    def configure_optimizers(self):
        optimizer = torch.optim.Adam(self.parameters(), lr=self.hparams.lr)
        scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=self.trainer.max_epochs)
        return {"optimizer": optimizer, "lr_scheduler": scheduler}


class PrintLosses(L.Callback):
    def on_train_epoch_end(self, trainer, pl_module):
        if (trainer.current_epoch + 1) % 4 == 0:
            m = trainer.callback_metrics
            print(f"epoch {trainer.current_epoch + 1:2d}  "
                  f"train {m['train_loss'].item():.4f}  val {m['val_loss'].item():.4f}")


def main():
    L.seed_everything(42, verbose=False)
    images = torch.tensor(load_digits().data, dtype=torch.float32) / 16.0
    dataset = TensorDataset(images)
    train_set, val_set, test_set = random_split(
        dataset, [1257, 270, 270], generator=torch.Generator().manual_seed(42))

    model = LitAutoEncoder()
    trainer = L.Trainer(
        max_epochs=20,
        accelerator="cpu",
        logger=False,
        callbacks=[PrintLosses()],
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    trainer.fit(model, DataLoader(train_set, batch_size=64, shuffle=True), DataLoader(val_set, batch_size=270))
    result = trainer.test(model, DataLoader(test_set, batch_size=270), verbose=False)
    print(f"test reconstruction error {result[0]['test_loss']:.4f} (pixel variance {images.var().item():.4f})")


if __name__ == "__main__":
    main()
