# expect: detached_loss @ 93
# allowed: detached_loss @ 94
# mend: 93 →             perte = torch.stack(termes).sum()
# Tri de tickets : catégorie + délai de traitement, boucle façon Trainer avec accumulation
import math
import random
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, Dataset


@dataclass
class Config:
    vocab: int = 120
    longueur: int = 16
    n_classes: int = 4
    taille_lot: int = 32
    accumulation: int = 2
    epoques: int = 8
    lr: float = 4e-3
    poids_delai: float = 0.5
    graine: int = 3


class Tickets(Dataset):
    def __init__(self, n, cfg, graine):
        g = np.random.default_rng(graine)
        self.cat = g.permutation(np.arange(n) % cfg.n_classes)
        self.ids = g.integers(0, cfg.vocab, size=(n, cfg.longueur))
        bloc = cfg.vocab // cfg.n_classes
        for i, c in enumerate(self.cat):
            pos = g.choice(cfg.longueur, 5, replace=False)
            self.ids[i, pos] = g.integers(c * bloc, (c + 1) * bloc, size=5)
        urgence = (self.ids % 2).mean(1)
        self.delai = ((urgence - 0.5) * 6 + g.normal(0, 0.1, n)).astype(np.float32)

    def __len__(self):
        return len(self.cat)

    def __getitem__(self, i):
        return {"input_ids": torch.as_tensor(self.ids[i]), "labels": int(self.cat[i]),
                "delai": self.delai[i]}


class Modele(nn.Module):
    def __init__(self, cfg):
        super().__init__()
        self.emb = nn.Embedding(cfg.vocab, 32)
        self.corps = nn.Sequential(nn.Linear(32, 64), nn.GELU())
        self.tete_cat = nn.Linear(64, cfg.n_classes)
        self.tete_delai = nn.Linear(64, 1)

    def forward(self, input_ids):
        h = self.corps(self.emb(input_ids).mean(dim=1))
        return self.tete_cat(h), self.tete_delai(h).squeeze(-1)


@torch.no_grad()
def evaluer(modele, loader):
    modele.eval()
    bons, erreur, n = 0, 0.0, 0
    for lot in loader:
        logits, delai = modele(lot["input_ids"])
        bons += (logits.argmax(-1) == lot["labels"]).sum().item()
        erreur += (delai - lot["delai"]).abs().sum().item()
        n += len(delai)
    return bons / n, erreur / n


def main():
    cfg = Config()
    random.seed(cfg.graine)
    torch.manual_seed(cfg.graine)
    train_dl = DataLoader(Tickets(1024, cfg, 1), batch_size=cfg.taille_lot, shuffle=True)
    eval_dl = DataLoader(Tickets(400, cfg, 2), batch_size=128)
    modele = Modele(cfg)
    optim = torch.optim.AdamW(modele.parameters(), lr=cfg.lr)
    total = cfg.epoques * math.ceil(len(train_dl) / cfg.accumulation)
    sched = torch.optim.lr_scheduler.LambdaLR(
        optim, lambda k: min(1.0, (k + 1) / 10) * max(0.05, 1 - k / total))

    for ep in range(cfg.epoques):
        modele.train()
        cumul = 0.0
        for pas, lot in enumerate(train_dl):
            logits, delai = modele(lot["input_ids"])
            termes = [F.cross_entropy(logits, lot["labels"]),
                      cfg.poids_delai * F.mse_loss(delai, lot["delai"])]
            perte = torch.tensor([t.item() for t in termes], requires_grad=True).sum()
            (perte / cfg.accumulation).backward()
            cumul += perte.item()
            if (pas + 1) % cfg.accumulation == 0 or pas + 1 == len(train_dl):
                nn.utils.clip_grad_norm_(modele.parameters(), 1.0)
                optim.step()
                sched.step()
                optim.zero_grad()
        acc, mae = evaluer(modele, eval_dl)
        print(f"époque {ep + 1} | perte {cumul / len(train_dl):.3f} | exactitude {acc:.3f} | MAE délai {mae:.3f}")


if __name__ == "__main__":
    main()
