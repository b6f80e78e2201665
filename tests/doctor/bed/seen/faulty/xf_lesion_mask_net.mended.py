# expect: nothing
# -*- coding: utf-8 -*-
"""Segmentación binaria de lesiones simuladas con una red totalmente convolucional."""
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset, random_split

semilla = torch.Generator().manual_seed(17)
torch.manual_seed(17)


def simular(n, lado=24):
    """Elipses oscuras sobre un fondo con gradiente y ruido; área próxima a la mitad."""
    v, u = torch.meshgrid(torch.linspace(-1, 1, lado), torch.linspace(-1, 1, lado), indexing="ij")
    cx, cy = (torch.rand(2, n, 1, 1, generator=semilla) - 0.5) * 0.9
    a, b = 0.6 + 0.4 * torch.rand(2, n, 1, 1, generator=semilla)
    mascara = ((u - cx) / a) ** 2 + ((v - cy) / b) ** 2 < 1
    fondo = 0.4 * u * torch.randn(n, 1, 1, generator=semilla)
    imagen = fondo - 0.8 * mascara + 0.5 * torch.randn(n, lado, lado, generator=semilla)
    return imagen.unsqueeze(1), mascara.float()


class RedFCN(nn.Sequential):
    def __init__(self, c=12):
        super().__init__(
            nn.Conv2d(1, c, 3, padding=1), nn.ReLU(),
            nn.Conv2d(c, c, 3, padding=2, dilation=2), nn.ReLU(),
            nn.Conv2d(c, c, 3, padding=4, dilation=4), nn.ReLU(),
            nn.Conv2d(c, 1, 1))


class Medidas:
    def __init__(self):
        self.aciertos, self.iou, self.n = 0.0, 0.0, 0

    def sumar(self, logits, mascara):
        prob = logits.sigmoid()
        pred = prob > 0.5
        real = mascara > 0.5
        inter = (pred & real).float().mean((-2, -1))
        union = (pred | real).float().mean((-2, -1))
        self.aciertos += (pred == real).float().mean().item() * len(logits)
        self.iou += (inter / union.clamp(min=1e-6)).mean().item() * len(logits)
        self.n += len(logits)

    def __str__(self):
        return f"exactitud {self.aciertos / self.n:.4f} | IoU {self.iou / self.n:.4f}"


def paso_de_entrenamiento(red, opt, criterio, lote):
    imagen, mascara = lote
    opt.zero_grad()
    salida = red(imagen)
    perdida = criterio(salida.squeeze(1), mascara)
    perdida.backward()
    opt.step()
    return perdida.item()


def medir(red, cargador):
    medidas = Medidas()
    red.eval()
    with torch.no_grad():
        for imagen, mascara in cargador:
            medidas.sumar(red(imagen).squeeze(1), mascara)
    return medidas


def principal():
    todo = TensorDataset(*simular(480))
    entreno, valid, prueba = random_split(todo, [300, 80, 100], generator=semilla)
    c_entreno = DataLoader(entreno, batch_size=20, shuffle=True)
    c_valid = DataLoader(valid, batch_size=40)
    c_prueba = DataLoader(prueba, batch_size=50)
    red = RedFCN()
    opt = torch.optim.Adam(red.parameters(), lr=4e-3)
    criterio = nn.BCEWithLogitsLoss()
    for ciclo in range(6):
        red.train()
        total = sum(paso_de_entrenamiento(red, opt, criterio, l) for l in c_entreno)
        print(f"ciclo {ciclo}: pérdida {total / len(c_entreno):.4f} | valid {medir(red, c_valid)}")
    print(f"prueba: {medir(red, c_prueba)}")


if __name__ == "__main__":
    principal()
