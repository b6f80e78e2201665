# expect: scaler_leakage @ 40
# needs: lightning
"""Expressão gênica simulada: muitos genes, poucos pacientes, classificador pequeno em Lightning."""
import logging
import warnings

import lightning as L
import numpy as np
import torch
from sklearn.feature_selection import SelectKBest, f_classif
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
warnings.filterwarnings("ignore")


def simular(pacientes=240, genes=3000, ativos=6, efeito=0.45, semente=1):
    r = np.random.default_rng(semente)
    y = np.arange(pacientes) % 2
    r.shuffle(y)
    X = r.normal(size=(pacientes, genes))
    X[:, :ativos] += efeito * (2 * y[:, None] - 1)
    return 5 + 2 * X, y


class Genes(L.LightningDataModule):
    def __init__(self, k=40, lote=20, fracao_teste=0.4, semente=1):
        super().__init__()
        self.k, self.lote, self.fracao_teste, self.semente = k, lote, fracao_teste, semente
        self.prep = make_pipeline(StandardScaler(), SelectKBest(f_classif, k=k), StandardScaler())

    def setup(self, stage=None):
        X, y = simular(semente=self.semente)
        ordem = np.random.default_rng(self.semente + 1).permutation(len(y))
        corte = int(len(y) * self.fracao_teste)
        teste, treino = ordem[:corte], ordem[corte:]
        X = self.prep.fit(X, y).transform(X)
        self.treino, self.teste = self._pacote(X, y, treino), self._pacote(X, y, teste)

    @staticmethod
    def _pacote(X, y, quais):
        return TensorDataset(
            torch.tensor(X[quais], dtype=torch.float32), torch.tensor(y[quais], dtype=torch.float32)
        )

    def train_dataloader(self):
        return DataLoader(self.treino, batch_size=self.lote, shuffle=True)

    def test_dataloader(self):
        return DataLoader(self.teste, batch_size=64)


class Classificador(L.LightningModule):
    def __init__(self, entradas, lr=3e-3):
        super().__init__()
        self.lr = lr
        self.rede = nn.Sequential(nn.Linear(entradas, 16), nn.ReLU(), nn.Dropout(0.3), nn.Linear(16, 1))
        self.custo = nn.BCEWithLogitsLoss()

    def forward(self, x):
        return self.rede(x).squeeze(1)

    def training_step(self, lote, _):
        x, y = lote
        return self.custo(self(x), y)

    def test_step(self, lote, _):
        x, y = lote
        saida = self(x)
        acerto = ((saida > 0) == (y > 0.5)).float().mean()
        self.log_dict({"custo": self.custo(saida, y), "acerto": acerto}, batch_size=len(x))

    def configure_optimizers(self):
        return torch.optim.AdamW(self.parameters(), lr=self.lr, weight_decay=0.05)


L.seed_everything(1, verbose=False)
dados = Genes()
modelo = Classificador(dados.k)
treinador = L.Trainer(
    max_epochs=8, accelerator="cpu", logger=False, enable_checkpointing=False,
    enable_progress_bar=False, enable_model_summary=False,
)
treinador.fit(modelo, datamodule=dados)
resultado = treinador.test(modelo, datamodule=dados, verbose=False)[0]
print(f"teste: acerto {resultado['acerto']:.3f}  custo {resultado['custo']:.3f}")
