# expect: vanishing_gradient @ 21
# allowed: vanishing_gradient @ 34
# allowed: vanishing_gradient @ 48
# Red convolucional + perceptron profundo para los digitos de sklearn
import torch
from torch import nn
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

torch.manual_seed(21)

datos = load_digits()
imagenes = torch.tensor(datos.images, dtype=torch.float32).unsqueeze(1) / 16.0
etiquetas = torch.tensor(datos.target)
x_ent, x_pru, y_ent, y_pru = train_test_split(
    imagenes, etiquetas, test_size=0.25, stratify=datos.target, random_state=21)
media, desvio = x_ent.mean(), x_ent.std()
x_ent = (x_ent - media) / desvio
x_pru = (x_pru - media) / desvio

ACTIVACION = nn.Sigmoid


class RedProfunda(nn.Module):
    def __init__(self, capas_densas=7, ancho=48):
        super().__init__()
        self.conv = nn.Sequential(
            nn.Conv2d(1, 8, 3, padding=1), ACTIVACION(),
            nn.Conv2d(8, 8, 3, stride=2, padding=1), ACTIVACION(),
        )
        densas = []
        entrada = 8 * 4 * 4
        for _ in range(capas_densas):
            densas += [nn.Linear(entrada, ancho), ACTIVACION()]
            entrada = ancho
        self.densas = nn.Sequential(*densas)
        self.salida = nn.Linear(ancho, 10)
        for m in self.modules():
            if isinstance(m, (nn.Conv2d, nn.Linear)):
                nn.init.kaiming_normal_(m.weight)
                nn.init.zeros_(m.bias)

    def forward(self, x):
        x = self.conv(x).flatten(1)
        return self.salida(self.densas(x))


red = RedProfunda()
optimizador = torch.optim.SGD(red.parameters(), lr=0.02, momentum=0.9)
criterio = nn.CrossEntropyLoss()
TAM_LOTE = 64

for epoca in range(1, 21):
    red.train()
    permutacion = torch.randperm(len(x_ent))
    acumulado = 0.0
    for lote in permutacion.split(TAM_LOTE):
        optimizador.zero_grad()
        perdida = criterio(red(x_ent[lote]), y_ent[lote])
        perdida.backward()
        optimizador.step()
        acumulado += perdida.item() * len(lote)
    if epoca % 4 == 0:
        print(f"epoca {epoca:2d}  perdida {acumulado / len(x_ent):.4f}")

red.eval()
with torch.no_grad():
    aciertos = (red(x_pru).argmax(dim=1) == y_pru).float().mean().item()
print(f"exactitud en prueba: {aciertos:.4f}")
