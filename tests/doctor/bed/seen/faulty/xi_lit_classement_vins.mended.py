# expect: nothing
# needs: lightning
"""Classement des vins avec Lightning."""
import logging
import warnings
import torch
import torch.nn.functional as F
import lightning as L
from sklearn.datasets import load_wine
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch.utils.data import DataLoader, TensorDataset

warnings.filterwarnings("ignore")
logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
L.seed_everything(8, verbose=False)


class Classifieur(L.LightningModule):
    def __init__(self, entrees, classes, lr=2e-3):
        super().__init__()
        self.lr = lr
        self.corps = torch.nn.Sequential(
            torch.nn.Linear(entrees, 24), torch.nn.ReLU(), torch.nn.Linear(24, classes))

    def forward(self, x):
        return self.corps(x)

    def training_step(self, lot, _):
        x, cible = lot
        return F.cross_entropy(self(x), cible)

    def test_step(self, lot, _):
        x, cible = lot
        sortie = self(x)
        self.log("perte", F.cross_entropy(sortie, cible))
        self.log("justesse", (sortie.argmax(dim=-1) == cible).float().mean())

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), lr=self.lr)


X, y = load_wine(return_X_y=True)
Xa, Xt, ya, yt = train_test_split(X, y, test_size=0.3, random_state=8, stratify=y)
norme = StandardScaler().fit(Xa)


def jeu(X, y):
    return TensorDataset(torch.tensor(norme.transform(X), dtype=torch.float32), torch.tensor(y))


apprentissage = DataLoader(jeu(Xa, ya), batch_size=16, shuffle=True)
essai = DataLoader(jeu(Xt, yt), batch_size=len(yt))

modele = Classifieur(X.shape[1], 3)
entraineur = L.Trainer(max_epochs=10, accelerator="cpu", logger=False, enable_checkpointing=False,
                       enable_progress_bar=False, enable_model_summary=False)
entraineur.fit(modele, apprentissage)
bilan = entraineur.test(modele, essai, verbose=False)[0]
print({k: round(v, 4) for k, v in bilan.items()})
