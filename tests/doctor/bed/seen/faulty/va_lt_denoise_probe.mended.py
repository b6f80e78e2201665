# expect: nothing
# needs: lightning
"""Denoising autoencoder with an online probe, Lightning manual optimisation.

The encoder/decoder pair is trained on corrupted 8x8 digits; at the same time a small
probe reads the (detached) code, so that we can watch how useful the code is.
"""
import logging
import warnings

import lightning.pytorch as pl
import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

warnings.filterwarnings("ignore", ".*does not have many workers.*")
logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)


class DigitsData(pl.LightningDataModule):
    def __init__(self, batch_size=64):
        super().__init__()
        self.batch_size = batch_size

    def setup(self, stage=None):
        pixels, labels = load_digits(return_X_y=True)
        x = torch.tensor(pixels / 16.0, dtype=torch.float32)
        y = torch.tensor(labels)
        rest, test = train_test_split(range(len(y)), test_size=0.2, stratify=labels, random_state=1)
        train, val = train_test_split(rest, test_size=0.2, stratify=labels[rest], random_state=1)
        self.parts = {k: TensorDataset(x[i], y[i]) for k, i in
                      (("train", train), ("val", val), ("test", test))}

    def train_dataloader(self):
        return DataLoader(self.parts["train"], self.batch_size, shuffle=True, drop_last=True)

    def val_dataloader(self):
        return DataLoader(self.parts["val"], 256)

    def test_dataloader(self):
        return DataLoader(self.parts["test"], 256)


class DenoiserWithProbe(pl.LightningModule):
    def __init__(self, code=24, noise=0.25, lr=2e-3, probe_lr=0.5):
        super().__init__()
        self.save_hyperparameters()
        self.automatic_optimization = False
        self.encoder = nn.Sequential(nn.Linear(64, 96), nn.GELU(), nn.Linear(96, code))
        self.decoder = nn.Sequential(nn.Linear(code, 96), nn.GELU(), nn.Linear(96, 64))
        self.probe = nn.Linear(code, 10)

    def configure_optimizers(self):
        ae = torch.optim.Adam([*self.encoder.parameters(), *self.decoder.parameters()],
                              lr=self.hparams.lr)
        probe = torch.optim.SGD(self.probe.parameters(), lr=self.hparams.probe_lr)
        return ae, probe

    def _advance(self, opt, loss):
        opt.zero_grad()
        self.manual_backward(loss)
        opt.step()

    def training_step(self, batch, batch_idx):
        x, y = batch
        ae_opt, probe_opt = self.optimizers()
        corrupted = x + self.hparams.noise * torch.randn_like(x)
        code = self.encoder(corrupted)
        rec_loss = F.mse_loss(self.decoder(code), x)
        self._advance(ae_opt, rec_loss)

        probe_loss = F.cross_entropy(self.probe(code.detach()), y)
        self._advance(probe_opt, probe_loss)
        self.log_dict({"rec": rec_loss, "probe": probe_loss}, on_step=False, on_epoch=True)

    def _shared_eval(self, batch, prefix):
        x, y = batch
        code = self.encoder(x)
        hits = (self.probe(code).argmax(dim=1) == y).float().mean()
        self.log_dict({f"{prefix}_rec": F.mse_loss(self.decoder(code), x), f"{prefix}_acc": hits})

    def validation_step(self, batch, batch_idx):
        self._shared_eval(batch, "val")

    def test_step(self, batch, batch_idx):
        self._shared_eval(batch, "test")


class Table(pl.Callback):
    def on_train_epoch_end(self, trainer, module):
        m = trainer.callback_metrics
        print(f"{trainer.current_epoch:2d}  rec {m['rec']:.4f}  probe {m['probe']:.3f}  "
              f"val_rec {m['val_rec']:.4f}  val_acc {m['val_acc']:.3f}")


if __name__ == "__main__":
    pl.seed_everything(11)
    data = DigitsData()
    trainer = pl.Trainer(max_epochs=6, accelerator="cpu", logger=False, enable_checkpointing=False,
                         enable_progress_bar=False, enable_model_summary=False,
                         num_sanity_val_steps=0, callbacks=[Table()])
    net = DenoiserWithProbe()
    trainer.fit(net, datamodule=data)
    print(trainer.test(net, datamodule=data, verbose=False)[0])
