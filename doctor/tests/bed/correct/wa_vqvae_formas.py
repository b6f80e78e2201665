# expect: nothing
"""VQ-VAE con diccionario EMA sobre siluetas sintéticas de 12x12 (cruces, marcos y discos)."""
from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset


@dataclass(frozen=True)
class Ajustes:
    claves: int = 24
    dim: int = 12
    compromiso: float = 0.25
    olvido: float = 0.95
    lote: int = 32
    epocas: int = 7
    tasa: float = 3e-3
    semilla: int = 19


def siluetas(n: int, g: torch.Generator) -> Tensor:
    eje = torch.arange(12.0)
    yy, xx = torch.meshgrid(eje, eje, indexing="ij")
    centro = 4 + 3 * torch.rand(n, 2, 1, 1, generator=g)
    tam = 2 + 2 * torch.rand(n, 1, 1, generator=g)
    dy, dx = (yy - centro[:, 0]).abs(), (xx - centro[:, 1]).abs()
    lejos = torch.maximum(dy, dx)
    disco = ((dy ** 2 + dx ** 2).sqrt() < tam).float()
    marco = ((lejos < tam) & (lejos > tam - 1.5)).float()
    cruz = ((torch.minimum(dy, dx) < 0.8) & (lejos < tam)).float()
    tipo = torch.randint(0, 3, (n,), generator=g)
    todas = torch.stack([disco, marco, cruz], dim=1)
    return todas[torch.arange(n), tipo].unsqueeze(1)


class Diccionario(nn.Module):
    """Las claves no se aprenden por gradiente: son medias móviles de los vectores asignados."""

    def __init__(self, a: Ajustes):
        super().__init__()
        self.a = a
        claves = torch.randn(a.claves, a.dim)
        self.register_buffer("claves", claves)
        self.register_buffer("cuenta", torch.ones(a.claves))
        self.register_buffer("suma", claves.clone())

    @torch.no_grad()
    def _actualizar(self, plano: Tensor, indice: Tensor) -> None:
        uno = F.one_hot(indice, self.a.claves).to(plano.dtype)
        self.cuenta.mul_(self.a.olvido).add_(uno.sum(dim=0), alpha=1 - self.a.olvido)
        self.suma.mul_(self.a.olvido).add_(uno.T @ plano, alpha=1 - self.a.olvido)
        self.claves.copy_(self.suma / self.cuenta.clamp(min=1e-3).unsqueeze(1))
        for muerta in (self.cuenta < 0.05).nonzero().flatten().tolist():
            nueva = plano[torch.randint(len(plano), (1,))].squeeze(0)      # revivir claves sin uso
            self.claves[muerta], self.suma[muerta], self.cuenta[muerta] = nueva, nueva, 1.0

    def forward(self, z: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        plano = z.permute(0, 2, 3, 1).reshape(-1, self.a.dim)
        indice = torch.cdist(plano.detach(), self.claves).argmin(dim=1)
        n, _, h, w = z.shape
        cuantizado = self.claves[indice].view(n, h, w, -1).permute(0, 3, 1, 2)
        if self.training:
            self._actualizar(plano.detach(), indice)
        acercar = F.mse_loss(z, cuantizado.detach())
        return z + (cuantizado - z).detach(), acercar, indice      # gradiente directo


class VQVAE(nn.Module):
    def __init__(self, a: Ajustes):
        super().__init__()
        self.a = a
        self.codificador = nn.Sequential(
            nn.Conv2d(1, 16, 4, 2, 1), nn.ReLU(), nn.Conv2d(16, 24, 4, 2, 1), nn.ReLU(), nn.Conv2d(24, a.dim, 1))
        self.diccionario = Diccionario(a)
        self.decodificador = nn.Sequential(
            nn.ConvTranspose2d(a.dim, 24, 4, 2, 1), nn.ReLU(), nn.ConvTranspose2d(24, 1, 4, 2, 1))

    def training_step(self, x: Tensor) -> tuple[Tensor, Tensor]:
        codigo, acercar, _ = self.diccionario(self.codificador(x))
        logits = self.decodificador(codigo)
        recon = F.binary_cross_entropy_with_logits(logits, x)
        return recon + self.a.compromiso * acercar, recon


def evaluar(modelo: VQVAE, x: Tensor) -> tuple[float, float]:
    modelo.eval()
    with torch.no_grad():
        codigo, _, indice = modelo.diccionario(modelo.codificador(x))
        acierto = ((modelo.decodificador(codigo) > 0) == (x > 0.5)).float().mean().item()
    uso = torch.bincount(indice, minlength=modelo.a.claves).float() / len(indice)
    perplejidad = torch.exp(-(uso * (uso + 1e-10).log()).sum()).item()
    return acierto, perplejidad


def main(a: Ajustes = Ajustes()) -> None:
    torch.manual_seed(a.semilla)
    g = torch.Generator().manual_seed(a.semilla)
    entreno, prueba = siluetas(640, g), siluetas(128, g)
    modelo = VQVAE(a)
    optim = torch.optim.Adam(modelo.parameters(), lr=a.tasa)
    lotes = DataLoader(TensorDataset(entreno), batch_size=a.lote, shuffle=True)
    for epoca in range(1, a.epocas + 1):
        modelo.train()
        total = 0.0
        for (x,) in lotes:
            perdida, recon = modelo.training_step(x)
            optim.zero_grad()
            perdida.backward()
            optim.step()
            total += recon.item() * len(x)
        print(f"época {epoca}: reconstrucción {total / len(entreno):.4f}")
    acierto, perplejidad = evaluar(modelo, prueba)
    print(f"prueba: píxeles acertados {acierto:.3f}, perplejidad del diccionario {perplejidad:.1f} de {a.claves}")


if __name__ == "__main__":
    main()
