# expect: nothing
"""Wissensdestillation: großer Lehrer, kleiner Schüler, weiche Ziele mit Temperatur."""
from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset


@dataclass
class Plan:
    temperatur: float = 3.0
    alpha: float = 0.7
    lehrer_breite: int = 128
    schueler_breite: int = 24
    epochen_lehrer: int = 8
    epochen_schueler: int = 12
    lr: float = 6e-3
    batch: int = 64
    seed: int = 23


class Ziel(ABC):
    """Eine Aufgabe, die aus einem Batch einen Verlust macht."""

    @abstractmethod
    def __call__(self, netz: nn.Module, x: Tensor, y: Tensor) -> Tensor: ...


class Hart(Ziel):
    def __call__(self, netz: nn.Module, x: Tensor, y: Tensor) -> Tensor:
        return F.cross_entropy(netz(x), y, label_smoothing=0.05)


class Destillation(Ziel):
    def __init__(self, lehrer: nn.Module, plan: Plan) -> None:
        self.lehrer = lehrer.eval().requires_grad_(False)
        self.t, self.alpha = plan.temperatur, plan.alpha

    def __call__(self, netz: nn.Module, x: Tensor, y: Tensor) -> Tensor:
        with torch.no_grad():
            weich = F.softmax(self.lehrer(x) / self.t, dim=1)
        logits = netz(x)
        kl = F.kl_div(F.log_softmax(logits / self.t, dim=1), weich, reduction="batchmean") * self.t**2
        return self.alpha * kl + (1 - self.alpha) * F.cross_entropy(logits, y)


def baue_netz(breite: int, dropout: float) -> nn.Sequential:
    return nn.Sequential(
        nn.Linear(64, breite), nn.BatchNorm1d(breite), nn.ReLU(), nn.Dropout(dropout),
        nn.Linear(breite, breite), nn.ReLU(), nn.Linear(breite, 10),
    )


class Schleife:
    def __init__(self, netz: nn.Module, ziel: Ziel, epochen: int, plan: Plan) -> None:
        self.netz, self.ziel, self.epochen = netz, ziel, epochen
        self.opt = torch.optim.AdamW(netz.parameters(), lr=plan.lr, weight_decay=1e-3)
        self.zeitplan = torch.optim.lr_scheduler.CosineAnnealingLR(self.opt, T_max=epochen, eta_min=plan.lr / 20)

    def laufe(self, name: str, lader: DataLoader, val: TensorDataset) -> nn.Module:
        for epoche in range(1, self.epochen + 1):
            self.netz.train()
            summe = 0.0
            for x, y in lader:
                verlust = self.ziel(self.netz, x, y)
                self.opt.zero_grad()
                verlust.backward()
                self.opt.step()
                summe += verlust.item() * len(y)
            self.zeitplan.step()
            if epoche % 4 == 0:
                print(f"{name} {epoche:2d}: verlust {summe / len(lader.dataset):.4f}  val {genauigkeit(self.netz, val):.3f}")
        return self.netz


@torch.no_grad()
def genauigkeit(netz: nn.Module, daten: TensorDataset) -> float:
    netz.eval()
    x, y = daten.tensors
    return (netz(x).argmax(1) == y).float().mean().item()


def teile_daten(seed: int) -> tuple[TensorDataset, TensorDataset, TensorDataset]:
    x, y = load_digits(return_X_y=True)
    x_fit, x_te, y_fit, y_te = train_test_split(x, y, test_size=0.2, stratify=y, random_state=seed)
    x_tr, x_va, y_tr, y_va = train_test_split(x_fit, y_fit, test_size=0.2, stratify=y_fit, random_state=seed)

    def paket(a, b) -> TensorDataset:
        return TensorDataset(torch.tensor(a / 16.0, dtype=torch.float32), torch.tensor(b))

    return paket(x_tr, y_tr), paket(x_va, y_va), paket(x_te, y_te)


def main() -> None:
    plan = Plan()
    torch.manual_seed(plan.seed)
    train, val, test = teile_daten(plan.seed)
    lader = DataLoader(train, batch_size=plan.batch, shuffle=True, drop_last=True)
    lehrer = Schleife(baue_netz(plan.lehrer_breite, 0.3), Hart(), plan.epochen_lehrer, plan).laufe("lehrer", lader, val)
    schueler = baue_netz(plan.schueler_breite, 0.0)
    Schleife(schueler, Destillation(lehrer, plan), plan.epochen_schueler, plan).laufe("schüler", lader, val)
    for name, netz in (("lehrer", lehrer), ("schüler", schueler)):
        groesse = sum(p.numel() for p in netz.parameters())
        print(f"{name}: {groesse} Parameter, Test {genauigkeit(netz, test):.3f}")


if __name__ == "__main__":
    main()
