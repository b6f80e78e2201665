# needs: lightning
# expect: nothing
# looks suspicious: LBFGS asks the closure again and again within a step; the second Trainer overfits a batch
# on purpose, without shuffling; the third trains a student on a teacher's answers.
"""Three small trainers: LBFGS, overfit_batches as a check, and a distillation."""

import logging
import warnings

import lightning as L
import torch
import torch.nn.functional as F
from sklearn.datasets import load_iris
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

warnings.filterwarnings("ignore")
logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)


class Logistic(L.LightningModule):
    def __init__(self, kind):
        super().__init__()
        self.kind, self.linear = kind, nn.Linear(4, 3)

    def forward(self, x):
        return self.linear(x)

    def training_step(self, batch):
        x, y = batch
        loss = F.cross_entropy(self(x), y)
        self.log("loss", loss)
        return loss

    def validation_step(self, batch):
        x, y = batch
        self.log("acc", (self(x).argmax(1) == y).float().mean())

    def configure_optimizers(self):
        if self.kind == "lbfgs":
            return torch.optim.LBFGS(self.parameters(), lr=0.5, max_iter=5)
        return torch.optim.Adam(self.parameters(), lr=0.1)


class Student(L.LightningModule):
    def __init__(self, teacher, temperature=2.0):
        super().__init__()
        self.teacher, self.temperature = teacher.requires_grad_(False), temperature
        self.net = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3))

    def training_step(self, batch):
        x, y = batch
        t = self.temperature
        self.teacher.eval()
        with torch.no_grad():
            soft = F.softmax(self.teacher(x) / t, dim=1)
        logits = self.net(x)
        hard = F.cross_entropy(logits, y)
        distilled = F.kl_div(F.log_softmax(logits / t, dim=1), soft, reduction="batchmean") * t * t
        self.log_dict({"hard": hard, "soft": distilled})
        return 0.5 * hard + 0.5 * distilled

    def configure_optimizers(self):
        return torch.optim.Adam(self.net.parameters(), lr=0.02)


def trainer(**options):
    return L.Trainer(
        accelerator="cpu", logger=False, enable_checkpointing=False, enable_progress_bar=False,
        enable_model_summary=False, **options,
    )  # fmt: skip


L.seed_everything(6, verbose=False)
X, y = load_iris(return_X_y=True)
X_tr, X_va, y_tr, y_va = train_test_split(X, y, test_size=0.3, stratify=y, random_state=2)
m, s = X_tr.mean(0), X_tr.std(0)
train_set = TensorDataset(torch.tensor((X_tr - m) / s).float(), torch.tensor(y_tr))
val = DataLoader(TensorDataset(torch.tensor((X_va - m) / s).float(), torch.tensor(y_va)), batch_size=45)

teacher = Logistic("lbfgs")
first = trainer(max_epochs=6)
first.fit(teacher, DataLoader(train_set, batch_size=105), val)
print("lbfgs", {k: round(v.item(), 4) for k, v in first.callback_metrics.items()})

check = trainer(max_epochs=40, overfit_batches=1)
check.fit(Logistic("adam"), DataLoader(train_set, batch_size=16), val)
print("one batch", round(check.callback_metrics["loss"].item(), 4))

third = trainer(max_epochs=8, val_check_interval=0.5)
third.fit(Student(teacher), DataLoader(train_set, batch_size=15, shuffle=True))
print("student", {k: round(v.item(), 4) for k, v in third.callback_metrics.items()})
