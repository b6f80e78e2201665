# expect: metric_wrong_axis @ 55
# allowed: metric_wrong_axis @ 54
# needs: lightning
# mend: 55 →         acerto = (previsto == y.unsqueeze(1)).float().mean()
import numpy as np
import torch
from torch import nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, TensorDataset
import lightning as L
from sklearn.datasets import make_classification
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

L.seed_everything(7)


def carregar():
    X, y = make_classification(n_samples=1600, n_features=14, n_informative=8,
                               class_sep=1.4, flip_y=0.01, random_state=7)
    X_tr, X_va, y_tr, y_va = train_test_split(X, y, test_size=0.25, stratify=y, random_state=7)
    escala = StandardScaler().fit(X_tr)
    X_tr, X_va = escala.transform(X_tr), escala.transform(X_va)

    def ds(a, b):
        return TensorDataset(torch.tensor(a, dtype=torch.float32), torch.tensor(b, dtype=torch.float32))
    return ds(X_tr, y_tr), ds(X_va, y_va)


class DetectorFalha(L.LightningModule):
    def __init__(self, n_entradas, lr=3e-3):
        super().__init__()
        self.save_hyperparameters()
        self.rede = nn.Sequential(
            nn.Linear(n_entradas, 64), nn.ReLU(), nn.Dropout(0.1),
            nn.Linear(64, 32), nn.ReLU(),
            nn.Linear(32, 1),
        )

    def forward(self, x):
        return self.rede(x)

    def training_step(self, lote, i):
        x, y = lote
        logit = self(x)
        perda = F.binary_cross_entropy_with_logits(logit, y.unsqueeze(1))
        self.log("perda_treino", perda, on_epoch=True, on_step=False)
        return perda

    def validation_step(self, lote, i):
        x, y = lote
        logit = self(x)
        perda = F.binary_cross_entropy_with_logits(logit, y.unsqueeze(1))
        previsto = (torch.sigmoid(logit) > 0.5).float()
        acerto = (previsto == y).float().mean()
        self.log("val_perda", perda, batch_size=len(x))
        self.log("val_acerto", acerto, batch_size=len(x))

    def on_validation_epoch_end(self):
        m = self.trainer.callback_metrics
        print(f"epoca {self.current_epoch}: perda={m['val_perda']:.4f} acerto={m['val_acerto']:.3f}")

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), lr=self.hparams.lr)


treino, valid = carregar()
modelo = DetectorFalha(14)
trainer = L.Trainer(max_epochs=8, accelerator="cpu", logger=False, enable_checkpointing=False,
                    enable_progress_bar=False, enable_model_summary=False, num_sanity_val_steps=0)
trainer.fit(modelo,
            DataLoader(treino, batch_size=64, shuffle=True),
            DataLoader(valid, batch_size=128))
