# expect: nll_without_log_softmax @ 56
# allowed: nll_without_log_softmax @ 38
# allowed: nll_without_log_softmax @ 67
# allowed: nll_without_log_softmax @ 110
# mend: 56 →         return (-diferencia.pow(2).sum(dim=-1)).log_softmax(dim=-1)
# Redes prototípicas (few-shot): episodios N-way K-shot con los dígitos;
# clases 0-6 para el meta-entrenamiento y 7-9, nunca vistas, para la meta-prueba.
from dataclasses import dataclass
from typing import Callable, Dict, Iterator, NamedTuple, Protocol

import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import Tensor, nn

PERDIDAS: Dict[str, Callable[[], nn.Module]] = {}


def registrar(nombre: str):
    def envoltura(fabrica):
        PERDIDAS[nombre] = fabrica
        return fabrica
    return envoltura


registrar("nll")(nn.NLLLoss)
registrar("ce")(nn.CrossEntropyLoss)


@dataclass(frozen=True)
class Config:
    vias: int = 3
    apoyo: int = 5
    consulta: int = 10
    episodios: int = 150
    dim: int = 16
    lr: float = 1e-3
    perdida: str = "nll"


class Episodio(NamedTuple):
    apoyo: Tensor      # [vias, apoyo, 64]
    consulta: Tensor   # [vias * consulta, 64]
    objetivo: Tensor   # [vias * consulta]


class Cabeza(Protocol):
    def __call__(self, consulta: Tensor, prototipos: Tensor) -> Tensor: ...


class CabezaEuclidea(nn.Module):
    """Puntúa cada consulta contra cada prototipo con menos la distancia al cuadrado."""

    def forward(self, consulta: Tensor, prototipos: Tensor) -> Tensor:
        diferencia = consulta.unsqueeze(1) - prototipos.unsqueeze(0)
        return -diferencia.pow(2).sum(dim=-1)


class RedPrototipica(nn.Module):
    def __init__(self, dim: int, cabeza: Cabeza):
        super().__init__()
        self.cuerpo = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, dim))
        self.cabeza = cabeza

    def forward(self, ep: Episodio) -> Tensor:
        prototipos = self.cuerpo(ep.apoyo).mean(dim=1)
        return self.cabeza(self.cuerpo(ep.consulta), prototipos)


class Muestreador:
    def __init__(self, x: Tensor, y: np.ndarray, clases, semilla: int):
        self.rng = np.random.default_rng(semilla)
        self.por_clase = {c: x[torch.from_numpy(np.flatnonzero(y == c))] for c in clases}

    def episodios(self, cfg: Config, cuantos: int) -> Iterator[Episodio]:
        for _ in range(cuantos):
            elegidas = self.rng.choice(list(self.por_clase), size=cfg.vias, replace=False)
            apoyo, consulta = [], []
            for c in elegidas:
                banco = self.por_clase[int(c)]
                filas = torch.from_numpy(self.rng.permutation(len(banco))[: cfg.apoyo + cfg.consulta])
                apoyo.append(banco[filas[: cfg.apoyo]])
                consulta.append(banco[filas[cfg.apoyo:]])
            objetivo = torch.arange(cfg.vias).repeat_interleave(cfg.consulta)
            yield Episodio(torch.stack(apoyo), torch.cat(consulta), objetivo)


@torch.no_grad()
def meta_prueba(red: RedPrototipica, fuente: Iterator[Episodio]) -> float:
    red.eval()
    aciertos = [(red(ep).argmax(dim=1) == ep.objetivo).float().mean().item() for ep in fuente]
    red.train()
    return float(np.mean(aciertos))


def principal(cfg: Config) -> None:
    torch.manual_seed(5)
    digitos = load_digits()
    x = torch.tensor(digitos.data / 8.0 - 1.0, dtype=torch.float32)
    base = Muestreador(x, digitos.target, range(7), semilla=1)
    nuevas = Muestreador(x, digitos.target, range(7, 10), semilla=2)

    red = RedPrototipica(cfg.dim, CabezaEuclidea())
    criterio = PERDIDAS[cfg.perdida]()
    opt = torch.optim.Adam(red.parameters(), lr=cfg.lr)

    acumulada = 0.0
    red.train()
    for i, ep in enumerate(base.episodios(cfg, cfg.episodios), start=1):
        perdida = criterio(red(ep), ep.objetivo)
        opt.zero_grad()
        perdida.backward()
        opt.step()
        acumulada += perdida.item()
        if i % 30 == 0:
            print(f"episodio {i:4d}  perdida media {acumulada / 30:.4f}")
            acumulada = 0.0
    print(f"exactitud con clases nuevas: {meta_prueba(red, nuevas.episodios(cfg, 40)):.3f}")


if __name__ == "__main__":
    principal(Config())
