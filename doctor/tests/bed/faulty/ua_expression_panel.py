# expect: scaler_leakage @ 56
# allowed: scaler_leakage @ 57
# mend: 56 →
# mend: 60 +         x_train = self.selector.fit_transform(x_train, y_train)
# mend: 60 +         x_val, x_test = self.selector.transform(x_val), self.selector.transform(x_test)
"""Clasificador de muestras tumorales a partir de un panel de genes (datos sintéticos)."""
from dataclasses import dataclass
from typing import Dict, Optional, Tuple

import numpy as np
import torch
from sklearn.feature_selection import SelectKBest, f_classif
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


@dataclass(frozen=True)
class PanelConfig:
    muestras: int = 240
    genes: int = 2500
    informativos: int = 6
    efecto: float = 1.2
    panel: int = 40
    oculta: int = 16
    epocas: int = 15
    lote: int = 24
    lr: float = 2e-3
    semilla: int = 4


def simular(cfg: PanelConfig) -> Tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(cfg.semilla)
    y = rng.integers(0, 2, cfg.muestras)
    x = rng.normal(6.0, 1.5, (cfg.muestras, cfg.genes))
    x[:, : cfg.informativos] += cfg.efecto * y[:, None]
    return x, y


class PanelDataModule:
    """Prepara los datos: panel de genes, partición y estandarización."""

    def __init__(self, cfg: PanelConfig) -> None:
        self.cfg = cfg
        self.selector = SelectKBest(f_classif, k=cfg.panel)
        self.escala = StandardScaler()
        self.partes: Optional[Dict[str, TensorDataset]] = None

    def _a_dataset(self, x: np.ndarray, y: np.ndarray) -> TensorDataset:
        x = self.escala.transform(x)
        return TensorDataset(torch.tensor(x, dtype=torch.float32), torch.tensor(y, dtype=torch.float32))

    def setup(self) -> "PanelDataModule":
        x, y = simular(self.cfg)
        x = self.selector.fit_transform(x, y)
        x_fit, x_test, y_fit, y_test = train_test_split(
            x, y, test_size=0.3, stratify=y, random_state=self.cfg.semilla)
        x_train, x_val, y_train, y_val = train_test_split(
            x_fit, y_fit, test_size=0.25, stratify=y_fit, random_state=self.cfg.semilla)
        self.escala.fit(x_train)
        self.partes = {
            "train": self._a_dataset(x_train, y_train),
            "val": self._a_dataset(x_val, y_val),
            "test": self._a_dataset(x_test, y_test),
        }
        return self

    def loader(self, parte: str) -> DataLoader:
        return DataLoader(self.partes[parte], batch_size=self.cfg.lote, shuffle=parte == "train")


class PanelNet(nn.Module):
    def __init__(self, cfg: PanelConfig) -> None:
        super().__init__()
        self.red = nn.Sequential(
            nn.Linear(cfg.panel, cfg.oculta), nn.ReLU(), nn.Dropout(0.3), nn.Linear(cfg.oculta, 1))
        self.criterio = nn.BCEWithLogitsLoss()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.red(x).squeeze(1)

    def training_step(self, lote) -> torch.Tensor:
        x, y = lote
        return self.criterio(self(x), y)

    @torch.no_grad()
    def exactitud(self, loader: DataLoader) -> float:
        self.eval()
        aciertos = [((self(x) > 0).float() == y).float() for x, y in loader]
        return torch.cat(aciertos).mean().item()


def entrenar(cfg: PanelConfig) -> None:
    torch.manual_seed(cfg.semilla)
    datos = PanelDataModule(cfg).setup()
    red = PanelNet(cfg)
    opt = torch.optim.AdamW(red.parameters(), lr=cfg.lr, weight_decay=1e-2)
    for epoca in range(cfg.epocas):
        red.train()
        perdidas = []
        for lote in datos.loader("train"):
            opt.zero_grad()
            perdida = red.training_step(lote)
            perdida.backward()
            opt.step()
            perdidas.append(perdida.item())
        if epoca % 3 == 2:
            print(f"época {epoca + 1}: pérdida {np.mean(perdidas):.4f}, val {red.exactitud(datos.loader('val')):.3f}")
    print(f"exactitud en test: {red.exactitud(datos.loader('test')):.3f}")


if __name__ == "__main__":
    entrenar(PanelConfig())
