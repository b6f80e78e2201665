# expect: lr_too_high @ 23
# allowed: lr_too_high @ 79
# allowed: lr_too_high @ 78
"""Destilação por dicas (FitNets): o aluno imita as saídas e o mapa interno do professor."""
from dataclasses import dataclass

import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split


@dataclass
class Config:
    semente: int = 4
    epocas_professor: int = 6
    epocas_aluno: int = 8
    lote: int = 50
    temperatura: float = 4.0
    peso_dica: float = 0.5
    taxa_professor: float = 0.002
    taxa_aluno: float = 0.3
    momento: float = 0.9


class Par(nn.Module):
    """Extrator + classificador; devolve (mapa, logits)."""

    def __init__(self, canais):
        super().__init__()
        self.extrator = nn.Sequential(
            nn.Conv2d(1, canais, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(canais, canais, 3, padding=1), nn.ReLU())
        self.classificador = nn.Linear(canais * 16, 10)

    def forward(self, x):
        mapa = self.extrator(x)
        return mapa, self.classificador(mapa.flatten(1))


def lotes(x, y, tamanho):
    ordem = torch.randperm(len(x))
    for i in range(0, len(x), tamanho):
        yield x[ordem[i:i + tamanho]], y[ordem[i:i + tamanho]]


@torch.no_grad()
def acertos(modelo, x, y):
    modelo.eval()
    return (modelo(x)[1].argmax(dim=1) == y).float().mean().item()


def ensinar_professor(cfg, x, y):
    professor = Par(24)
    opt = torch.optim.Adam(professor.parameters(), lr=cfg.taxa_professor)
    for _ in range(cfg.epocas_professor):
        professor.train()
        for xb, yb in lotes(x, y, cfg.lote):
            opt.zero_grad()
            F.cross_entropy(professor(xb)[1], yb).backward()
            opt.step()
    professor.eval()
    for p in professor.parameters():
        p.requires_grad_(False)
    return professor


def perda_destilada(cfg, logits_a, logits_p, yb):
    t = cfg.temperatura
    suave = F.kl_div((logits_a / t).log_softmax(1), (logits_p / t).softmax(1),
                     reduction="batchmean")
    return F.cross_entropy(logits_a, yb) + t * t * suave


def ensinar_aluno(cfg, professor, x, y):
    aluno, ponte = Par(8), nn.Conv2d(8, 24, 1)
    opt = torch.optim.SGD([*aluno.parameters(), *ponte.parameters()],
                          lr=cfg.taxa_aluno, momentum=cfg.momento)
    for epoca in range(cfg.epocas_aluno):
        aluno.train()
        historico = []
        for xb, yb in lotes(x, y, cfg.lote):
            with torch.no_grad():
                mapa_p, logits_p = professor(xb)
            mapa_a, logits_a = aluno(xb)
            perda = perda_destilada(cfg, logits_a, logits_p, yb)
            perda = perda + cfg.peso_dica * F.mse_loss(ponte(mapa_a), mapa_p)
            opt.zero_grad()
            perda.backward()
            opt.step()
            historico.append(perda.item())
        print(f"  aluno, época {epoca}: perda {sum(historico) / len(historico):.4f} "
              f"(mín {min(historico):.3f}, máx {max(historico):.3f})")
    return aluno


def main(cfg=Config()):
    torch.manual_seed(cfg.semente)
    dados = load_digits()
    x = torch.tensor(dados.images, dtype=torch.float32).unsqueeze(1) / 16
    y = torch.tensor(dados.target)
    i_tr, i_te = train_test_split(torch.arange(len(y)), test_size=0.3, random_state=cfg.semente,
                                  stratify=dados.target)
    professor = ensinar_professor(cfg, x[i_tr], y[i_tr])
    aluno = ensinar_aluno(cfg, professor, x[i_tr], y[i_tr])
    print(f"professor {acertos(professor, x[i_te], y[i_te]):.4f}")
    print(f"aluno     {acertos(aluno, x[i_te], y[i_te]):.4f}")


if __name__ == "__main__":
    main()
