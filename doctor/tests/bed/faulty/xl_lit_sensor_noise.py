# expect: augment_on_test @ 41
# allowed: augment_on_test @ 51
# allowed: augment_on_test @ 54
# needs: lightning
# mend: 41 →         logits = self(jitter(x) if stage == "train" else x)
"""Sensor readings -> machine state, LightningModule with a shared step."""
import logging
import warnings

import lightning as L
import torch
import torch.nn.functional as F
from sklearn.datasets import make_classification
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch.utils.data import DataLoader, TensorDataset

warnings.filterwarnings("ignore")
logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)


def jitter(x, sigma=1.0):
    """Random sensor gain and additive noise."""
    gain = 1.0 + 0.2 * torch.randn(x.size(0), 1)
    return gain * x + sigma * torch.randn_like(x)


class MachineState(L.LightningModule):
    def __init__(self, n_features, n_classes, lr=3e-3):
        super().__init__()
        self.save_hyperparameters()
        self.net = torch.nn.Sequential(
            torch.nn.Linear(n_features, 64), torch.nn.ReLU(),
            torch.nn.Linear(64, n_classes))

    def forward(self, x):
        return self.net(x)

    def _shared_step(self, batch, stage):
        x, y = batch
        logits = self(jitter(x))
        loss = F.cross_entropy(logits, y)
        acc = (logits.argmax(dim=1) == y).float().mean()
        self.log_dict({f"{stage}_loss": loss, f"{stage}_acc": acc}, on_step=False, on_epoch=True)
        return loss

    def training_step(self, batch, batch_idx):
        return self._shared_step(batch, "train")

    def validation_step(self, batch, batch_idx):
        self._shared_step(batch, "val")

    def test_step(self, batch, batch_idx):
        self._shared_step(batch, "test")

    def configure_optimizers(self):
        return torch.optim.AdamW(self.parameters(), lr=self.hparams.lr)


def main():
    L.seed_everything(42, verbose=False)
    X, y = make_classification(n_samples=2000, n_features=16, n_informative=10, n_redundant=2,
                               n_classes=4, n_clusters_per_class=1, class_sep=1.6, flip_y=0.0,
                               random_state=42)
    X_tmp, X_test, y_tmp, y_test = train_test_split(X, y, test_size=0.2, stratify=y, random_state=42)
    X_train, X_val, y_train, y_val = train_test_split(X_tmp, y_tmp, test_size=0.2, stratify=y_tmp, random_state=42)
    scaler = StandardScaler().fit(X_train)

    def loader(a, b, shuffle=False):
        ds = TensorDataset(torch.tensor(scaler.transform(a), dtype=torch.float32), torch.tensor(b))
        return DataLoader(ds, batch_size=64, shuffle=shuffle)

    model = MachineState(X.shape[1], 4)
    trainer = L.Trainer(max_epochs=12, accelerator="cpu", logger=False, enable_checkpointing=False,
                        enable_progress_bar=False, enable_model_summary=False)
    trainer.fit(model, loader(X_train, y_train, True), loader(X_val, y_val))
    print(f"val acc  {trainer.callback_metrics['val_acc'].item():.3f}")
    result = trainer.test(model, loader(X_test, y_test), verbose=False)[0]
    print(f"test acc {result['test_acc']:.3f}   test loss {result['test_loss']:.3f}")


if __name__ == "__main__":
    main()
