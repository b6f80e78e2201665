# missed: target_broadcast @ 82
# allowed: target_broadcast @ 45
# allowed: target_broadcast @ 51
# allowed: target_broadcast @ 61
# allowed: target_broadcast @ 81
# allowed: target_broadcast @ 83
# allowed: target_broadcast @ 85
# mend: 82 →         vorhersage = self.netz(x).squeeze(-1)
"""Regressionslauf mit Registry für Verlustfunktionen (Diabetes-Daten)."""
from __future__ import annotations

from dataclasses import dataclass, field
from typing import Callable

import numpy as np
import torch
from sklearn.datasets import load_diabetes
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

LossFn = Callable[[Tensor, Tensor], Tensor]
LOSSES: dict[str, LossFn] = {
    "mse": lambda p, t: (p - t).pow(2).mean(),
    "mae": lambda p, t: (p - t).abs().mean(),
    "logcosh": lambda p, t: torch.log(torch.cosh(p - t)).mean(),
}


@dataclass
class Lauf:
    verlust: str = "mse"
    metriken: tuple[str, ...] = ("mae",)
    breite: int = 32
    lr: float = 3e-3
    epochen: int = 14
    batch: int = 32
    protokoll: list[float] = field(default_factory=list)


class TabellenDaten(Dataset):
    def __init__(self, x: np.ndarray, y: np.ndarray) -> None:
        self.x = torch.as_tensor(x, dtype=torch.float32)
        self.y = torch.as_tensor(y, dtype=torch.float32)

    def __len__(self) -> int:
        return len(self.x)

    def __getitem__(self, i: int) -> tuple[Tensor, Tensor]:
        return self.x[i], self.y[i]


class Netz(nn.Module):
    def __init__(self, merkmale: int, breite: int) -> None:
        super().__init__()
        self.koerper = nn.Sequential(nn.Linear(merkmale, breite), nn.SiLU())
        self.kopf = nn.Linear(breite, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.kopf(self.koerper(x))


def lade_daten(seed: int = 0) -> dict[str, TabellenDaten]:
    x, y = load_diabetes(return_X_y=True)
    x_tr, x_rest, y_tr, y_rest = train_test_split(x, y, test_size=0.35, random_state=seed)
    x_va, x_te, y_va, y_te = train_test_split(x_rest, y_rest, test_size=0.5, random_state=seed)
    sx = StandardScaler().fit(x_tr)
    mitte, streuung = y_tr.mean(), y_tr.std()
    teile = {"train": (x_tr, y_tr), "val": (x_va, y_va), "test": (x_te, y_te)}
    return {k: TabellenDaten(sx.transform(a), (b - mitte) / streuung) for k, (a, b) in teile.items()}


class Trainer:
    def __init__(self, netz: nn.Module, lauf: Lauf) -> None:
        self.netz, self.lauf = netz, lauf
        self.verlust = LOSSES[lauf.verlust]
        self.opt = torch.optim.AdamW(netz.parameters(), lr=lauf.lr, weight_decay=1e-3)

    def schritt(self, batch: tuple[Tensor, Tensor]) -> dict[str, Tensor]:
        x, y = batch
        vorhersage = self.netz(x)
        werte = {"verlust": self.verlust(vorhersage, y)}
        for name in self.lauf.metriken:
            werte[name] = LOSSES[name](vorhersage.detach(), y)
        return werte

    def trainiere(self, lader: DataLoader) -> float:
        self.netz.train()
        summe = 0.0
        for batch in lader:
            self.opt.zero_grad()
            verlust = self.schritt(batch)["verlust"]
            verlust.backward()
            self.opt.step()
            summe += verlust.item() * len(batch[0])
        return summe / len(lader.dataset)

    @torch.no_grad()
    def pruefe(self, daten: TabellenDaten) -> dict[str, float]:
        self.netz.eval()
        batch = next(iter(DataLoader(daten, batch_size=len(daten))))
        return {k: round(v.item(), 4) for k, v in self.schritt(batch).items()}


def main() -> None:
    torch.manual_seed(1)
    daten, lauf = lade_daten(), Lauf()
    trainer = Trainer(Netz(daten["train"].x.shape[1], lauf.breite), lauf)
    lader = DataLoader(daten["train"], batch_size=lauf.batch, shuffle=True)
    for epoche in range(lauf.epochen):
        lauf.protokoll.append(trainer.trainiere(lader))
        if epoche % 4 == 0:
            print(epoche, f"train {lauf.protokoll[-1]:.4f}", trainer.pruefe(daten["val"]))
    print("Test:", trainer.pruefe(daten["test"]))


if __name__ == "__main__":
    main()
