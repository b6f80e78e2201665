# needs: lightning
# expect: nothing
# looks suspicious: losses are summed over pixels, noise is drawn in the validation as in training, figures go
# to a CSVLogger, and the step returns a dictionary with more than the loss.
"""A variational autoencoder, its ELBO summed over pixels and averaged over rows; samples at the end."""

import logging
import tempfile
import warnings

import lightning as L
import torch
import torch.nn.functional as F
from lightning.pytorch.loggers import CSVLogger
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset, random_split

warnings.filterwarnings("ignore")
logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)


class VAE(L.LightningModule):
    def __init__(self, latent=8, beta=0.5):
        super().__init__()
        self.save_hyperparameters()
        self.encoder = nn.Sequential(nn.Linear(64, 48), nn.ReLU())
        self.mu, self.logvar = nn.Linear(48, latent), nn.Linear(48, latent)
        self.decoder = nn.Sequential(nn.Linear(latent, 48), nn.ReLU(), nn.Linear(48, 64), nn.Sigmoid())

    def forward(self, x):
        h = self.encoder(x)
        mu, logvar = self.mu(h), self.logvar(h)
        z = mu + torch.randn_like(mu) * (0.5 * logvar).exp()
        return self.decoder(z), mu, logvar

    def elbo(self, batch):
        (x,) = batch
        decoded, mu, logvar = self(x)
        rebuilt = F.binary_cross_entropy(decoded, x, reduction="sum") / len(x)
        kl = -0.5 * (1 + logvar - mu.pow(2) - logvar.exp()).sum(1).mean()
        return {"loss": rebuilt + self.hparams.beta * kl, "rebuilt": rebuilt.detach(), "kl": kl.detach()}

    def training_step(self, batch, batch_idx):
        out = self.elbo(batch)
        self.log_dict({f"train_{k}": v for k, v in out.items()}, on_epoch=True, on_step=False)
        return out

    def validation_step(self, batch, batch_idx):
        self.log_dict({f"val_{k}": v for k, v in self.elbo(batch).items()})

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), lr=2e-3)

    @torch.no_grad()
    def sample(self, n):
        return self.decoder(torch.randn(n, self.hparams.latent))


L.seed_everything(4, verbose=False)
images, _ = load_digits(return_X_y=True)
train, val = random_split(TensorDataset(torch.tensor(images / 16, dtype=torch.float32)), [1500, 297])
with tempfile.TemporaryDirectory() as folder:
    trainer = L.Trainer(
        max_epochs=6,
        accelerator="cpu",
        logger=CSVLogger(folder),
        default_root_dir=folder,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        log_every_n_steps=5,
    )
    model = VAE()
    trainer.fit(model, DataLoader(train, batch_size=50, shuffle=True), DataLoader(val, batch_size=99))
print({k: round(v.item(), 2) for k, v in trainer.callback_metrics.items()})
print("sampled", round(model.sample(64).mean().item(), 3))
