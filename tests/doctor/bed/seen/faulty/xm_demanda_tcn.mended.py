# expect: nothing
"""Pronóstico de la demanda eléctrica con una TCN pequeña y acumulación de gradientes."""
import argparse

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, TensorDataset


class BloqueCausal(nn.Module):
    def __init__(self, entrada, salida, dilatacion, k=3):
        super().__init__()
        self.relleno = (k - 1) * dilatacion
        self.conv = nn.Conv1d(entrada, salida, k, dilation=dilatacion)
        self.atajo = nn.Conv1d(entrada, salida, 1) if entrada != salida else nn.Identity()

    def forward(self, x):
        y = self.conv(F.pad(x, (self.relleno, 0)))
        return F.relu(y) + self.atajo(x)


class TCN(nn.Module):
    def __init__(self, canales=16, niveles=4):
        super().__init__()
        capas = [BloqueCausal(1 if i == 0 else canales, canales, 2 ** i) for i in range(niveles)]
        self.cuerpo = nn.Sequential(*capas)
        self.final = nn.Linear(canales, 1)

    def forward(self, x):
        return self.final(self.cuerpo(x)[:, :, -1])


def serie(horas, generador):
    t = np.arange(horas)
    base = 100 + 20 * np.sin(2 * np.pi * t / 24) + 10 * np.sin(2 * np.pi * t / 168)
    ruido = np.zeros(horas)
    for i in range(1, horas):
        ruido[i] = 0.8 * ruido[i - 1] + generador.normal(0, 2)
    return (base + ruido).astype(np.float32)


def ventanas(valores, largo):
    x = np.stack([valores[i:i + largo] for i in range(len(valores) - largo)])[:, None, :]
    y = valores[largo:][:, None]
    return TensorDataset(torch.from_numpy(x), torch.from_numpy(y))


def evaluar(red, datos, escala):
    red.eval()
    x, y = datos.tensors
    with torch.no_grad():
        error = (red(x) - y) * escala
    return error.pow(2).mean().sqrt().item()


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--epocas", type=int, default=8)
    p.add_argument("--acumular", type=int, default=2)
    p.add_argument("--lr", type=float, default=4e-3)
    args = p.parse_args()

    torch.manual_seed(21)
    valores = serie(2400, np.random.default_rng(21))
    corte1, corte2 = 1680, 2040
    media, escala = valores[:corte1].mean(), valores[:corte1].std()
    z = (valores - media) / escala
    entreno, valida, prueba = [ventanas(s, 32) for s in (z[:corte1], z[corte1:corte2], z[corte2:])]
    lotes = DataLoader(entreno, batch_size=8, shuffle=True, drop_last=True)

    red = TCN()
    optim = torch.optim.AdamW(red.parameters(), lr=args.lr)
    pasos = args.epocas * (len(lotes) // args.acumular)
    plan = torch.optim.lr_scheduler.OneCycleLR(optim, max_lr=args.lr, total_steps=pasos)

    for epoca in range(args.epocas):
        red.train()
        total = 0.0
        for i, (x, y) in enumerate(lotes):
            perdida = F.mse_loss(red(x), y)
            (perdida / args.acumular).backward()
            total += perdida.item()
            if (i + 1) % args.acumular == 0:
                optim.step()
                optim.zero_grad()
                plan.step()
        print(f"época {epoca}: ECM entreno {total / len(lotes):.4f}  "
              f"RMSE validación {evaluar(red, valida, escala):.2f} MW  lr {plan.get_last_lr()[0]:.1e}")

    x, y = prueba.tensors
    ayer = (x[:, 0, -24:-23] - y).mul(escala).pow(2).mean().sqrt().item()
    print(f"prueba: RMSE {evaluar(red, prueba, escala):.2f} MW   (valor de ayer: {ayer:.2f} MW)")


if __name__ == "__main__":
    main()
