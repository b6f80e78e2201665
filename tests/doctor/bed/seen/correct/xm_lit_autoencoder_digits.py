# expect: nothing
# needs: lightning
import logging
import os
import tempfile
import warnings

import lightning as L
import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch import nn, optim, utils

logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
warnings.filterwarnings("ignore", ".*num_workers.*")


# define the LightningModule
class LitAutoEncoder(L.LightningModule):
    def __init__(self, latent=8, lr=5e-3):
        super().__init__()
        self.save_hyperparameters()
        self.encoder = nn.Sequential(nn.Linear(64, 48), nn.ReLU(), nn.Linear(48, latent))
        self.decoder = nn.Sequential(nn.Linear(latent, 48), nn.ReLU(), nn.Linear(48, 64))

    def forward(self, x):
        return self.encoder(x)

    def _reconstruction_loss(self, batch):
        x, _ = batch
        x = x.view(x.size(0), -1)
        return F.mse_loss(self.decoder(self.encoder(x)), x)

    def training_step(self, batch, batch_idx):
        loss = self._reconstruction_loss(batch)
        self.log("train_loss", loss, on_step=False, on_epoch=True)
        return loss

    def validation_step(self, batch, batch_idx):
        self.log("val_loss", self._reconstruction_loss(batch))

    def test_step(self, batch, batch_idx):
        self.log("test_loss", self._reconstruction_loss(batch))

    def configure_optimizers(self):
        return optim.Adam(self.parameters(), lr=self.hparams.lr)


class Printer(L.Callback):
    def on_train_epoch_end(self, trainer, pl_module):
        m = trainer.callback_metrics
        if trainer.current_epoch % 2 == 1:
            print(f"epoch {trainer.current_epoch}: train_loss {m['train_loss']:.4f}  val_loss {m['val_loss']:.4f}")


def main():
    L.seed_everything(7, verbose=False)

    # setup data
    digits = load_digits()
    images = torch.tensor(digits.images, dtype=torch.float32) / 16
    dataset = utils.data.TensorDataset(images, torch.tensor(digits.target))
    train_set, val_set, test_set = utils.data.random_split(
        dataset, [1297, 200, 300], generator=torch.Generator().manual_seed(42))
    train_loader = utils.data.DataLoader(train_set, batch_size=32, shuffle=True)
    val_loader = utils.data.DataLoader(val_set, batch_size=200)
    test_loader = utils.data.DataLoader(test_set, batch_size=300)

    # train the model
    autoencoder = LitAutoEncoder()
    trainer = L.Trainer(
        max_epochs=6, accelerator="cpu", devices=1, logger=False, callbacks=[Printer()],
        enable_checkpointing=False, enable_progress_bar=False, enable_model_summary=False,
        default_root_dir=os.path.join(tempfile.gettempdir(), "lit_autoencoder"),
    )
    trainer.fit(autoencoder, train_loader, val_loader)
    result = trainer.test(autoencoder, test_loader, verbose=False)[0]
    pixels = torch.stack([dataset[i][0] for i in train_set.indices])
    average = pixels.mean(0)
    test_pixels = torch.stack([dataset[i][0] for i in test_set.indices])
    print(f"test_loss {result['test_loss']:.4f}  (average image: {F.mse_loss(average.expand_as(test_pixels), test_pixels):.4f})")

    # embed 4 images
    autoencoder.eval()
    with torch.no_grad():
        embeddings = autoencoder(test_pixels[:4].view(4, -1))
    print("embeddings:", embeddings.shape)


if __name__ == "__main__":
    main()
