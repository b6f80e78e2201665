# expect: nothing
# needs: lightning
"""LitAutoEncoder, a small variation with a held-out test at the end."""
import os
import torch
from torch import nn, utils
import torch.nn.functional as F
import lightning as L
from sklearn.datasets import load_digits


# define the LightningModule
class LitAutoEncoder(L.LightningModule):
    def __init__(self, encoder, decoder):
        super().__init__()
        self.encoder = encoder
        self.decoder = decoder

    def _reconstruction_loss(self, batch):
        (x,) = batch
        z = self.encoder(x)
        x_hat = self.decoder(z)
        return F.mse_loss(x_hat, x)

    def training_step(self, batch, batch_idx):
        loss = self._reconstruction_loss(batch)
        self.log("train_loss", loss, on_epoch=True, on_step=False)
        return loss

    def validation_step(self, batch, batch_idx):
        self.log("val_loss", self._reconstruction_loss(batch))

    def test_step(self, batch, batch_idx):
        self.log("test_loss", self._reconstruction_loss(batch))

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), lr=3e-3)


class PrintLosses(L.Callback):
    def on_train_epoch_end(self, trainer, pl_module):
        if (trainer.current_epoch + 1) % 4 == 0:
            m = trainer.callback_metrics
            print(f"epoch {trainer.current_epoch + 1}: train {m['train_loss']:.4f} val {m['val_loss']:.4f}")


def main():
    L.seed_everything(42, workers=True)
    images = torch.tensor(load_digits().data, dtype=torch.float32) / 16.0
    train_set, val_set, test_set = utils.data.random_split(
        utils.data.TensorDataset(images), [0.7, 0.15, 0.15],
        generator=torch.Generator().manual_seed(42))
    train_loader = utils.data.DataLoader(train_set, batch_size=64, shuffle=True)
    val_loader = utils.data.DataLoader(val_set, batch_size=256)
    test_loader = utils.data.DataLoader(test_set, batch_size=256)

    encoder = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
    decoder = nn.Sequential(nn.Linear(10, 64), nn.ReLU(), nn.Linear(64, 64))
    autoencoder = LitAutoEncoder(encoder, decoder)

    trainer = L.Trainer(max_epochs=16, accelerator="cpu", logger=False, enable_checkpointing=False,
                        enable_progress_bar=False, enable_model_summary=False,
                        num_sanity_val_steps=0, callbacks=[PrintLosses()])
    trainer.fit(autoencoder, train_loader, val_loader)
    result = trainer.test(autoencoder, test_loader, verbose=False)[0]
    train_images = images[train_set.indices]
    test_images = images[test_set.indices]
    baseline = F.mse_loss(train_images.mean(dim=0).expand_as(test_images), test_images)
    print(f"test mse {result['test_loss']:.4f}  (predicting the mean image: {baseline.item():.4f})")

    # use the trained encoder
    autoencoder.eval()
    with torch.no_grad():
        embeddings = autoencoder.encoder(test_images[:4])
    print("Predictions (4 image embeddings):", tuple(embeddings.shape))


if __name__ == "__main__":
    main()
