# needs: lightning
# expect: no_step @ 40
"""Two optimizers by hand in a LightningModule: an autoencoder and a classifier on its code."""

import logging
import warnings

import lightning as L
import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

warnings.filterwarnings("ignore")
logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)


class Both(L.LightningModule):
    def __init__(self):
        super().__init__()
        self.automatic_optimization = False
        self.encoder = nn.Sequential(nn.Linear(64, 24), nn.ReLU())
        self.decoder = nn.Linear(24, 64)
        self.classifier = nn.Linear(24, 10)
        self.mse, self.ce = nn.MSELoss(), nn.CrossEntropyLoss()

    def training_step(self, batch, batch_idx):
        opt_auto, opt_class = self.optimizers()
        x, y = batch

        opt_auto.zero_grad()
        rebuilt = self.mse(self.decoder(self.encoder(x)), x)
        self.manual_backward(rebuilt)
        opt_auto.step()

        opt_class.zero_grad()
        with torch.no_grad():
            code = self.encoder(x)
        loss = self.ce(self.classifier(code), y)
        self.manual_backward(loss)
        self.log_dict({"mse": rebuilt, "ce": loss}, on_epoch=True, on_step=False)

    def configure_optimizers(self):
        auto = torch.optim.Adam([*self.encoder.parameters(), *self.decoder.parameters()], lr=3e-3)
        return auto, torch.optim.Adam(self.classifier.parameters(), lr=1e-2)


L.seed_everything(2, verbose=False)
images, labels = load_digits(return_X_y=True)
loader = DataLoader(
    TensorDataset(torch.tensor(images / 16).float(), torch.tensor(labels)), batch_size=100, shuffle=True
)
trainer = L.Trainer(
    max_epochs=4,
    accelerator="cpu",
    logger=False,
    enable_checkpointing=False,
    enable_progress_bar=False,
    enable_model_summary=False,
)
trainer.fit(Both(), loader)
print({name: round(value.item(), 4) for name, value in trainer.callback_metrics.items()})
