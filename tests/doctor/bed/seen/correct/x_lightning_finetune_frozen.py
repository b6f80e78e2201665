# needs: lightning
# expect: nothing
# looks suspicious: the backbone is in no optimizer until it is thawed, and stays in eval mode while its head
# trains; an average of the weights is kept beside.
"""Transfer: a backbone trained on some classes is frozen, a new head trained, then all by BaseFinetuning."""

import logging
import warnings

import lightning as L
import torch
import torch.nn.functional as F
from lightning.pytorch.callbacks import BaseFinetuning, StochasticWeightAveraging
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

warnings.filterwarnings("ignore")
logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)


def backbone():
    return nn.Sequential(nn.Linear(64, 48), nn.BatchNorm1d(48), nn.ReLU(), nn.Linear(48, 24), nn.ReLU())


class Pretrain(L.LightningModule):
    def __init__(self):
        super().__init__()
        self.features, self.head = backbone(), nn.Linear(24, 5)

    def training_step(self, batch, batch_idx):
        x, y = batch
        return F.cross_entropy(self.head(self.features(x)), y)

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), lr=5e-3)


class Transfer(L.LightningModule):
    def __init__(self, features):
        super().__init__()
        self.features, self.head = features, nn.Linear(24, 5)

    def forward(self, x):
        return self.head(self.features(x))

    def training_step(self, batch, batch_idx):
        x, y = batch
        loss = F.cross_entropy(self(x), y)
        self.log("loss", loss, on_epoch=True, on_step=False)
        return loss

    def validation_step(self, batch, batch_idx):
        x, y = batch
        self.log("acc", (self(x).argmax(1) == y).float().mean())

    def on_train_epoch_end(self):
        figures = self.trainer.callback_metrics
        print(f"epoch {self.current_epoch} loss {figures['loss']:.4f} acc {figures['acc']:.3f}")

    def configure_optimizers(self):
        trainable = filter(lambda p: p.requires_grad, self.parameters())
        return torch.optim.SGD(trainable, lr=0.05, momentum=0.9)


class Thaw(BaseFinetuning):
    def freeze_before_training(self, pl_module):
        self.freeze(pl_module.features, train_bn=False)

    def finetune_function(self, pl_module, epoch, optimizer):
        if epoch == 4:
            self.unfreeze_and_add_param_group(pl_module.features, optimizer, lr=0.01, train_bn=False)


def trainer(epochs, *callbacks):
    return L.Trainer(
        max_epochs=epochs, callbacks=list(callbacks), accelerator="cpu", logger=False,
        enable_checkpointing=False, enable_progress_bar=False, enable_model_summary=False,
    )  # fmt: skip


L.seed_everything(8, verbose=False)
images, labels = load_digits(return_X_y=True)
x, y = torch.tensor(images / 16, dtype=torch.float32), torch.tensor(labels)
old, new = y < 5, y >= 5
first = Pretrain()
trainer(5).fit(first, DataLoader(TensorDataset(x[old], y[old]), 64, shuffle=True))

x_new, y_new = x[new], y[new] - 5
order = torch.randperm(len(y_new))
fit, held = order[:200], order[200:]
model = Transfer(first.features)
trainer(9, Thaw(), StochasticWeightAveraging(swa_lrs=0.01, swa_epoch_start=6, annealing_epochs=2)).fit(
    model,
    DataLoader(TensorDataset(x_new[fit], y_new[fit]), 32, shuffle=True),
    DataLoader(TensorDataset(x_new[held], y_new[held]), 256),
)
