"""Lightning's Trainer: a module, a data module's loaders, validation, a schedule, early stopping, a checkpoint."""

import tempfile

import lightning as L
import torch
from lightning.pytorch.callbacks import EarlyStopping, ModelCheckpoint
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, Subset, TensorDataset, random_split

L.seed_everything(0)
rows, kinds, batch = 487, 3, 16
y = torch.arange(rows) * kinds // rows
x = torch.randn(rows, 8) + 1.5 * torch.randn(kinds, 8)[y]
targets = y
#? label_misaligned: targets = y[torch.randperm(rows)]
whole = TensorDataset(x, targets)
train_set, val_set, test_set = random_split(whole, [343, 72, 72])
#! unshuffled_sorted: train_set, val_set, test_set = (Subset(whole, sorted(part.indices)) for part in random_split(whole, [343, 72, 72]))


class Tagger(L.LightningModule):
    def __init__(self, rate=0.05):
        super().__init__()
        self.save_hyperparameters()
        self.body = nn.Sequential(nn.Linear(8, 32), nn.BatchNorm1d(32), nn.ReLU(), nn.Dropout(0.2))
        self.head = nn.Linear(32, kinds)
        #! params_not_in_optimizer: self.head, self.parts = nn.Linear(32, kinds), [nn.Linear(8, 8)]

    def forward(self, rows):
        return self.head(self.body(rows))
        #! params_not_in_optimizer: return self.head(self.body(rows + self.parts[0](rows)))

    def training_step(self, batch, batch_idx):
        rows, targets = batch
        loss = F.cross_entropy(self(rows), targets)
        #! softmax_before_cross_entropy: loss = F.cross_entropy(self(rows).softmax(1), targets)
        #! detached_loss: loss = F.cross_entropy(self(rows), targets).detach().requires_grad_()
        self.log("train_loss", loss, prog_bar=True)
        return loss

    def validation_step(self, batch, batch_idx):
        rows, targets = batch
        answers = self(rows)
        #@ missing_eval
        self.log("val_loss", F.cross_entropy(answers, targets), prog_bar=True)
        self.log("val_right", (answers.argmax(1) == targets).float().mean(), prog_bar=True)
        #! metric_wrong_axis: self.log("val_right", (answers.argmax(0)[0] == targets).float().mean(), prog_bar=True)

    def test_step(self, batch, batch_idx):
        rows, targets = batch
        self.log("test_right", (self(rows).argmax(1) == targets).float().mean())

    def configure_optimizers(self):
        optimizer = torch.optim.SGD(self.parameters(), lr=self.hparams.rate, momentum=0.9)
        #! lr_too_low: optimizer = torch.optim.SGD(self.parameters(), lr=1e-6, momentum=0.9)
        #! lr_too_high: optimizer = torch.optim.SGD(self.parameters(), lr=200.0, momentum=0.9)
        schedule = torch.optim.lr_scheduler.StepLR(optimizer, step_size=6, gamma=0.3)
        interval = "epoch"
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": interval}}

    def on_validation_epoch_start(self):
        pass
        #! missing_eval: self.train()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        train_loader = DataLoader(train_set, batch_size=batch, shuffle=True, drop_last=True)
        #@ unshuffled_sorted
        #! test_in_train: train_loader = DataLoader(whole, batch_size=batch, shuffle=True, drop_last=True)
        #! unshuffled_sorted: train_loader = DataLoader(train_set, batch_size=batch, drop_last=True)
        #! batchnorm_batch_of_one: train_loader = DataLoader(train_set, batch_size=18, shuffle=True)
        val_loader = DataLoader(val_set, batch_size=64)
        best = ModelCheckpoint(folder, monitor="val_loss")
        trainer = L.Trainer(
            max_epochs=12,
            accelerator="cpu",
            logger=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            callbacks=[EarlyStopping("val_loss", patience=6), best],
            gradient_clip_val=5.0,
            #! clip_too_small: gradient_clip_val=1e-5,
            default_root_dir=folder,
        )
        net = Tagger()
        trainer.fit(net, train_loader, val_loader)
        trainer.test(net, DataLoader(test_set, batch_size=64), ckpt_path="best", verbose=False)
        print({name: f"{float(value):.4f}" for name, value in sorted(trainer.callback_metrics.items())})
