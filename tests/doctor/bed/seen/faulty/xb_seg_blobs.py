# expect: augment_on_test @ 35
# allowed: augment_on_test @ 90
# Segmentação de manchas em imagens sintéticas (mini U-Net)
import argparse

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, Dataset


def gerar_imagens(n, semente):
    g = torch.Generator().manual_seed(semente)
    yy, xx = torch.meshgrid(torch.arange(24.), torch.arange(24.), indexing="ij")
    centro = torch.rand(n, 2, 1, 1, generator=g) * 12 + 6
    raio = torch.rand(n, 1, 1, generator=g) * 3 + 3
    mascara = ((yy - centro[:, 0]) ** 2 + (xx - centro[:, 1]) ** 2 < raio ** 2).float()
    fundo = 0.35 * torch.randn(n, 24, 24, generator=g)
    return (0.5 * mascara + fundo).unsqueeze(1), mascara.unsqueeze(1)


def distorcer(img, mask):
    """Espelha, muda o contraste e apaga um quadrado da imagem."""
    if torch.rand(()) < 0.5:
        img, mask = img.flip(-1), mask.flip(-1)
    img = img * (0.7 + 0.6 * torch.rand(()))
    img = img + 0.25 * torch.randn_like(img)
    i, j = torch.randint(0, 16, (2,)).tolist()
    img = img.clone()
    img[:, i:i + 8, j:j + 8] = 0.0
    return img, mask


class Manchas(Dataset):
    def __init__(self, imagens, mascaras, media, desvio, aumentar=True):
        self.x = (imagens - media) / desvio
        self.y = mascaras
        self.aumentar = aumentar

    def __len__(self):
        return len(self.x)

    def __getitem__(self, k):
        img, mask = self.x[k], self.y[k]
        if self.aumentar:
            img, mask = distorcer(img, mask)
        return img, mask


def bloco(c_in, c_out):
    return nn.Sequential(nn.Conv2d(c_in, c_out, 3, padding=1), nn.BatchNorm2d(c_out), nn.ReLU())


class MiniUNet(nn.Module):
    def __init__(self, c=8):
        super().__init__()
        self.desce, self.meio = bloco(1, c), bloco(c, 2 * c)
        self.sobe, self.saida = bloco(3 * c, c), nn.Conv2d(c, 1, 1)

    def forward(self, x):
        a = self.desce(x)
        b = self.meio(F.max_pool2d(a, 2))
        b = F.interpolate(b, scale_factor=2, mode="nearest")
        return self.saida(self.sobe(torch.cat([a, b], dim=1)))


def iou(rede, carregador):
    rede.eval()
    inter = uniao = 0.0
    with torch.no_grad():
        for img, mask in carregador:
            pred = rede(img) > 0  # logit > 0  <=>  prob > 0.5
            alvo = mask.bool()
            inter += (pred & alvo).sum().item()
            uniao += (pred | alvo).sum().item()
    return inter / max(uniao, 1.0)


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--epocas", type=int, default=6)
    ap.add_argument("--lr", type=float, default=5e-3)
    args = ap.parse_args()
    torch.manual_seed(11)

    x_tr, y_tr = gerar_imagens(160, semente=1)
    x_te, y_te = gerar_imagens(80, semente=2)
    media, desvio = x_tr.mean(), x_tr.std()
    treino = DataLoader(Manchas(x_tr, y_tr, media, desvio, aumentar=True), batch_size=16, shuffle=True)
    teste = DataLoader(Manchas(x_te, y_te, media, desvio), batch_size=40)

    rede = MiniUNet()
    otimizador = torch.optim.Adam(rede.parameters(), lr=args.lr)
    for epoca in range(args.epocas):
        rede.train()
        soma = 0.0
        for img, mask in treino:
            perda = F.binary_cross_entropy_with_logits(rede(img), mask)
            otimizador.zero_grad()
            perda.backward()
            otimizador.step()
            soma += perda.item() * len(img)
        print(f"época {epoca}: perda {soma / len(treino.dataset):.4f}")
    print(f"IoU no teste: {iou(rede, teste):.3f}")


if __name__ == "__main__":
    main()
