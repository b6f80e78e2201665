# needs: lightning
# expect: nothing
# looks suspicious: the scaler is fitted in setup(), which is called twice, and the target is a column.
"""A LightningDataModule that splits and scales, a regression with a schedule by epoch and predictions."""

import logging
import warnings

import lightning as L
import torch
from sklearn.datasets import load_diabetes
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch import nn, optim
from torch.utils.data import DataLoader, TensorDataset

warnings.filterwarnings("ignore")
logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)


class Diabetes(L.LightningDataModule):
    def __init__(self, batch_size=32):
        super().__init__()
        self.batch_size = batch_size

    def setup(self, stage):
        x, y = load_diabetes(return_X_y=True, scaled=False)
        x_tr, x_te, y_tr, y_te = train_test_split(x, y[:, None], test_size=0.25, random_state=1)
        x_tr, x_va, y_tr, y_va = train_test_split(x_tr, y_tr, test_size=0.2, random_state=1)
        in_scaler, out_scaler = StandardScaler().fit(x_tr), StandardScaler().fit(y_tr)
        self.y_scale = float(out_scaler.scale_[0])

        def tensors(a, b):
            a, b = in_scaler.transform(a), out_scaler.transform(b)
            return TensorDataset(torch.from_numpy(a).float(), torch.from_numpy(b).float())

        self.train_set, self.val_set, self.test_set = (
            tensors(x_tr, y_tr),
            tensors(x_va, y_va),
            tensors(x_te, y_te),
        )

    def train_dataloader(self):
        return DataLoader(self.train_set, batch_size=self.batch_size, shuffle=True)

    def val_dataloader(self):
        return DataLoader(self.val_set, batch_size=self.batch_size)

    def test_dataloader(self):
        return DataLoader(self.test_set, batch_size=self.batch_size)

    def predict_dataloader(self):
        return DataLoader(self.test_set, batch_size=self.batch_size)


class Regressor(L.LightningModule):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(10, 32), nn.Tanh(), nn.Dropout(0.1), nn.Linear(32, 1))
        self.loss_fn = nn.MSELoss()

    def training_step(self, batch):
        x, y = batch
        loss = self.loss_fn(self.net(x), y)
        self.log("train_mse", loss, prog_bar=True)
        return {"loss": loss, "n": len(x)}

    def validation_step(self, batch):
        x, y = batch
        self.log("val_mse", self.loss_fn(self.net(x), y), prog_bar=True)

    def test_step(self, batch):
        x, y = batch
        self.log("test_mse", self.loss_fn(self.net(x), y))

    def predict_step(self, batch):
        return self.net(batch[0])

    def configure_optimizers(self):
        optimizer = optim.SGD(self.parameters(), lr=0.03, momentum=0.9, weight_decay=1e-4)
        scheduler = optim.lr_scheduler.StepLR(optimizer, step_size=5, gamma=0.5)
        return [optimizer], [scheduler]


L.seed_everything(11, verbose=False)
data, model = Diabetes(), Regressor()
trainer = L.Trainer(
    max_epochs=12, accelerator="cpu", logger=False, enable_checkpointing=False, enable_progress_bar=False,
    enable_model_summary=False, gradient_clip_val=1.0, log_every_n_steps=1,
)  # fmt: skip
trainer.fit(model, datamodule=data)
print("validation", round(trainer.callback_metrics["val_mse"].item(), 4))
print("test", round(trainer.test(model, datamodule=data, verbose=False)[0]["test_mse"], 4))
predicted = torch.cat(trainer.predict(model, datamodule=data)).squeeze(1) * data.y_scale
print("spread of predictions", round(predicted.std().item(), 2))
