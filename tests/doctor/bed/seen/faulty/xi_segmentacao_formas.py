# expect: metric_wrong_axis @ 40
# allowed: metric_wrong_axis @ 41
# Segmentação de discos e quadrados em imagens sintéticas
import torch
from torch import nn

torch.manual_seed(7)
yy, xx = torch.meshgrid(torch.arange(16), torch.arange(16), indexing="ij")


def gerar(n):
    img = 0.3 * torch.randn(n, 1, 16, 16)
    mascara = torch.zeros(n, 16, 16, dtype=torch.long)
    for i in range(n):
        cy, cx = torch.randint(5, 11, (2,)).tolist()
        if i % 2:
            m = (yy - cy) ** 2 + (xx - cx) ** 2 <= 25
            mascara[i][m] = 1
            img[i, 0][m] += 1.0
        else:
            m = ((yy - cy).abs() <= 4) & ((xx - cx).abs() <= 4)
            mascara[i][m] = 2
            img[i, 0][m] -= 1.0
    return img, mascara


x_treino, m_treino = gerar(240)
x_teste, m_teste = gerar(80)

modelo = nn.Sequential(
    nn.Conv2d(1, 12, 3, padding=1), nn.ReLU(),
    nn.Conv2d(12, 12, 3, padding=1), nn.ReLU(),
    nn.Conv2d(12, 3, 1),
)
criterio = nn.CrossEntropyLoss()
otim = torch.optim.Adam(modelo.parameters(), lr=5e-3)


def acuracia_pixels(saida, alvo):
    pred = saida.argmax(dim=1, keepdim=True)
    return (pred == alvo).float().mean().item()


for epoca in range(8):
    modelo.train()
    soma = 0.0
    for idx in torch.randperm(240).split(24):
        perda = criterio(modelo(x_treino[idx]), m_treino[idx])
        otim.zero_grad()
        perda.backward()
        otim.step()
        soma += perda.item()
    print(f"época {epoca + 1}: perda {soma / 10:.4f}")

modelo.eval()
with torch.no_grad():
    saida = modelo(x_teste)
    print(f"perda no teste: {criterio(saida, m_teste).item():.4f}")
    print(f"acurácia por pixel: {acuracia_pixels(saida, m_teste):.3f}")
