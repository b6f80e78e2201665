# needs: lightning
# expect: nothing
"""A LightningModule that gathers the losses of its training steps for the epoch's end."""

import logging
import warnings

import lightning as L
import torch
import torch.nn.functional as F
from sklearn.datasets import load_iris
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

warnings.filterwarnings("ignore")
logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)


class IrisModel(L.LightningModule):
    def __init__(self):
        super().__init__()
        self.layer_1 = nn.Linear(4, 32)
        self.layer_2 = nn.Linear(32, 3)
        self.training_step_outputs = []

    def forward(self, x):
        return self.layer_2(F.relu(self.layer_1(x)))

    def training_step(self, batch, batch_idx):
        x, y = batch
        loss = F.cross_entropy(self(x), y)
        self.training_step_outputs.append(loss.detach())
        return loss

    def on_train_epoch_end(self):
        epoch_average = torch.stack(self.training_step_outputs).mean()
        print(f"epoch {self.current_epoch} average loss so far {epoch_average.item():.4f}")

    def configure_optimizers(self):
        return torch.optim.AdamW(self.parameters(), lr=1e-2)


L.seed_everything(4, verbose=False)
data, target = load_iris(return_X_y=True)
data = torch.tensor((data - data.mean(0)) / data.std(0), dtype=torch.float32)
loader = DataLoader(TensorDataset(data, torch.tensor(target)), batch_size=15, shuffle=True)
L.Trainer(
    max_epochs=5,
    accelerator="cpu",
    logger=False,
    enable_checkpointing=False,
    enable_progress_bar=False,
    enable_model_summary=False,
).fit(IrisModel(), loader)
