# expect: nothing
# needs: lightning
"""LightningModule for the digits, after the Lightning quick start."""
import logging
import warnings
import lightning as L
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
warnings.filterwarnings("ignore")


class LitDigits(L.LightningModule):
    def __init__(self, lr=3e-3):
        super().__init__()
        self.lr = lr
        self.net = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))

    def training_step(self, batch, batch_idx):
        x, y = batch
        return F.cross_entropy(self.net(x), y)

    def test_step(self, batch, batch_idx):
        x, y = batch
        logits = self.net(x)
        self.log("test_loss", F.cross_entropy(logits, y))
        self.log("test_acc", (logits.argmax(dim=1) == y).float().mean())

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), lr=self.lr)


L.seed_everything(0)
X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X / 16.0, y, test_size=0.25, stratify=y, random_state=0)
train_ds = TensorDataset(torch.tensor(X_train).float(), torch.tensor(y_train))
test_ds = TensorDataset(torch.tensor(X_test).float(), torch.tensor(y_test))

trainer = L.Trainer(max_epochs=8, accelerator="cpu", logger=False, enable_checkpointing=False,
                    enable_progress_bar=False, enable_model_summary=False)
model = LitDigits()
trainer.fit(model, DataLoader(train_ds, batch_size=64, shuffle=True))
result = trainer.test(model, DataLoader(test_ds, batch_size=256), verbose=False)[0]
print(f"loss {result['test_loss']:.4f} accuracy {result['test_acc']:.3f}")
