# expect: nothing
# needs: lightning
"""Classe de courbe de charge (matin / soir / plate) avec un GRU et Lightning."""
import logging
import warnings

import lightning as L
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
warnings.filterwarnings("ignore")
L.seed_everything(6, verbose=False)


def courbes(n):
    classe = torch.arange(n) % 3
    heure = torch.arange(24.0)
    centre = torch.tensor([8.0, 18.0, 12.0])[classe].unsqueeze(1) + torch.randn(n, 1)
    haut = torch.tensor([1.5, 1.5, 0.0])[classe].unsqueeze(1)
    x = haut * torch.exp(-((heure - centre) ** 2) / 8) + 0.3 * torch.randn(n, 24)
    return x.unsqueeze(-1), classe


class Charge(L.LightningModule):
    def __init__(self, cache=24):
        super().__init__()
        self.gru = nn.GRU(1, cache, batch_first=True)
        self.tete = nn.Linear(cache, 3)
        self.pertes = []

    def forward(self, x):
        return self.tete(self.gru(x)[0].mean(1))

    def training_step(self, lot, _):
        x, y = lot
        perte = nn.functional.cross_entropy(self(x), y)
        self.pertes.append(perte.item())
        return perte

    def on_train_epoch_end(self):
        if self.current_epoch % 4 == 3:
            print(f"époque {self.current_epoch + 1}: {sum(self.pertes) / len(self.pertes):.4f}")
        self.pertes.clear()

    def test_step(self, lot, _):
        x, y = lot
        self.log("justesse", (self(x).argmax(1) == y).float().mean(), batch_size=len(y))

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=0.2, momentum=0.9)


def entraineur(epoques, borne=1.0):
    return L.Trainer(
        max_epochs=epoques,
        gradient_clip_val=borne,
        accelerator="cpu",
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )


x, y = courbes(1500)
moy, ect = x[:1200].mean(), x[:1200].std()
x = (x - moy) / ect
apprendre = DataLoader(TensorDataset(x[:1200], y[:1200]), batch_size=40, shuffle=True)
essai = DataLoader(TensorDataset(x[1200:], y[1200:]), batch_size=100)

modele = Charge()
chef = entraineur(12)
chef.fit(modele, apprendre)
res = chef.test(modele, essai, verbose=False)
print("justesse à l'essai:", round(res[0]["justesse"], 3))
