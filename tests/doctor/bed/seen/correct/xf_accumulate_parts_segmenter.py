# expect: nothing
"""Segmentação em três classes; acumula gradientes e trata o resto da época."""
import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(23)
LADO, CLASSES, IGNORAR = 20, 3, 255


def cenas(n):
    """Três regiões por cena (áreas parecidas em média); a borda não tem rótulo."""
    v, u = torch.meshgrid(torch.linspace(-1, 1, LADO), torch.linspace(-1, 1, LADO), indexing="ij")
    ang = torch.atan2(v, u)[None] + 6.2832 * torch.rand(n, 1, 1)
    setor = torch.remainder(ang, 6.2832) / 6.2832 * CLASSES
    alvo = setor.long().clamp(max=CLASSES - 1)
    fase = 6.2832 * torch.rand(n, 1, 1)
    listras = torch.stack([torch.sin(2.0 * torch.arange(LADO) + fase).expand(n, LADO, LADO),
                           torch.sin(2.0 * torch.arange(LADO)[:, None] + fase).expand(n, LADO, LADO),
                           torch.zeros(n, LADO, LADO)])
    x = listras.gather(0, alvo[None])[0] + 0.6 * torch.randn(n, LADO, LADO)
    alvo[:, [0, -1], :] = IGNORAR
    alvo[:, :, [0, -1]] = IGNORAR
    return x[:, None], alvo


class Rede(nn.Module):
    def __init__(self, c=16):
        super().__init__()
        self.a = nn.Conv2d(1, c, 5, padding=2)
        self.b = nn.Conv2d(c, c, 3, padding=2, dilation=2)
        self.saida = nn.Conv2d(c, CLASSES, 1)
        self.auxiliar = nn.Conv2d(c, CLASSES, 1)

    def forward(self, x):
        h = F.relu(self.a(x))
        g = F.relu(self.b(h))
        return (self.saida(g), self.auxiliar(h)) if self.training else self.saida(g)


@torch.no_grad()
def avaliar(rede, x, alvo):
    rede.eval()
    pred = rede(x).argmax(dim=1)
    valido = alvo != IGNORAR
    pixel = (pred[valido] == alvo[valido]).float().mean().item()
    iou = []
    for k in range(CLASSES):
        p, a = (pred == k) & valido, (alvo == k) & valido
        iou.append(((p & a).sum() / (p | a).sum()).item())
    rede.train()
    return pixel, sum(iou) / CLASSES


def epoca(rede, opt, x, alvo, lote=10, grupo=3):
    partes = torch.randperm(len(x)).split(lote)
    soma = torch.zeros(())
    for inicio in range(0, len(partes), grupo):
        bloco = partes[inicio:inicio + grupo]
        perda = 0.0
        for idx in bloco:
            for peso, logits in zip((1.0, 0.3), rede(x[idx])):
                perda = perda + peso * F.cross_entropy(logits, alvo[idx], ignore_index=IGNORAR)
        opt.zero_grad()
        (perda / len(bloco)).backward()
        opt.step()
        soma += perda.detach()
    return soma.item() / len(partes)


x_tr, a_tr = cenas(250)
x_va, a_va = cenas(60)
x_te, a_te = cenas(80)
rede = Rede()
opt = torch.optim.Adam(rede.parameters(), lr=6e-3)
rede.train()
for e in range(10):
    perda = epoca(rede, opt, x_tr, a_tr)
    if e % 3 == 0:
        print(f"época {e}: perda {perda:.4f}  validação pixel %.4f mIoU %.4f" % avaliar(rede, x_va, a_va))
print("teste: pixel %.4f mIoU %.4f" % avaliar(rede, x_te, a_te))
