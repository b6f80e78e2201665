# expect: nothing
# needs: lightning
import logging
import warnings

import lightning as L
import torch
from sklearn.datasets import load_digits
from torch import nn, optim, utils

logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
warnings.filterwarnings("ignore", message=".*num_workers.*")


class LitAutoEncoder(L.LightningModule):
    def __init__(self, encoder, decoder, lr=3e-3):
        super().__init__()
        self.encoder = encoder
        self.decoder = decoder
        self.lr = lr

    def _reconstruct(self, batch):
        (x,) = batch
        x_hat = self.decoder(self.encoder(x))
        return nn.functional.mse_loss(x_hat, x)

    def training_step(self, batch, batch_idx):
        loss = self._reconstruct(batch)
        self.log("train_loss", loss, on_step=False, on_epoch=True)
        return loss

    def validation_step(self, batch, batch_idx):
        self.log("val_loss", self._reconstruct(batch))

    def test_step(self, batch, batch_idx):
        self.log("test_loss", self._reconstruct(batch))

    def configure_optimizers(self):
        return optim.Adam(self.parameters(), lr=self.lr)


L.seed_everything(7, verbose=False)
images = torch.tensor(load_digits().data / 16.0, dtype=torch.float32)
dataset = utils.data.TensorDataset(images)
train_set, val_set, test_set = utils.data.random_split(
    dataset, [1297, 250, 250], generator=torch.Generator().manual_seed(7))

train_loader = utils.data.DataLoader(train_set, batch_size=64, shuffle=True)
val_loader = utils.data.DataLoader(val_set, batch_size=250)
test_loader = utils.data.DataLoader(test_set, batch_size=250)

encoder = nn.Sequential(nn.Linear(64, 48), nn.ReLU(), nn.Linear(48, 10))
decoder = nn.Sequential(nn.Linear(10, 48), nn.ReLU(), nn.Linear(48, 64))
autoencoder = LitAutoEncoder(encoder, decoder)

trainer = L.Trainer(max_epochs=20, accelerator="cpu", logger=False, enable_checkpointing=False,
                    enable_progress_bar=False, enable_model_summary=False)
trainer.fit(autoencoder, train_loader, val_loader)
metrics = {k: v.item() for k, v in trainer.callback_metrics.items()}
print(f"train {metrics['train_loss']:.4f}  val {metrics['val_loss']:.4f}")
print(f"test {trainer.test(autoencoder, test_loader, verbose=False)[0]['test_loss']:.4f}")
