# expect: nothing
"""Segmentação de 'células' sintéticas: fundo, citoplasma e núcleo."""
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset

CLASSES = ["fundo", "citoplasma", "núcleo"]


class Laminas(Dataset):
    def __init__(self, n, lado=24, semente=0):
        g = torch.Generator().manual_seed(semente)
        self.itens = [self._lamina(lado, g) for _ in range(n)]

    @staticmethod
    def _lamina(lado, g):
        yy, xx = torch.meshgrid(torch.arange(lado), torch.arange(lado), indexing="ij")
        rotulo = torch.zeros(lado, lado, dtype=torch.long)
        for _ in range(3):
            cy, cx = torch.randint(3, lado - 3, (2,), generator=g).tolist()
            raio = 3.5 + 2 * torch.rand(1, generator=g).item()
            dist = ((yy - cy) ** 2 + (xx - cx) ** 2).float().sqrt()
            rotulo[(dist < raio) & (rotulo == 0)] = 1
            rotulo[dist < raio * 0.5] = 2
        nivel = torch.tensor([-1.0, 0.2, 1.2])[rotulo]
        return (nivel + 0.5 * torch.randn(lado, lado, generator=g)).unsqueeze(0), rotulo

    def __len__(self):
        return len(self.itens)

    def __getitem__(self, i):
        return self.itens[i]


def bloco(entra, sai):
    return nn.Sequential(nn.Conv2d(entra, sai, 3, padding=1, bias=False), nn.BatchNorm2d(sai), nn.ReLU())


class MiniUNet(nn.Module):
    def __init__(self, base=10):
        super().__init__()
        self.desce1 = bloco(1, base)
        self.desce2 = bloco(base, 2 * base)
        self.fundo = bloco(2 * base, 2 * base)
        self.sobe = nn.ConvTranspose2d(2 * base, base, 2, stride=2)
        self.junta = bloco(2 * base, base)
        self.saida = nn.Conv2d(base, len(CLASSES), 1)

    def forward(self, x):
        a = self.desce1(x)
        b = self.fundo(self.desce2(nn.functional.max_pool2d(a, 2)))
        return self.saida(self.junta(torch.cat([self.sobe(b), a], dim=1)))


class Treinador:
    def __init__(self, rede, taxa):
        self.rede = rede
        self.otim = torch.optim.Adam(rede.parameters(), lr=taxa)
        self.criterio = nn.CrossEntropyLoss(weight=torch.tensor([0.6, 1.2, 1.6]))

    def epoca(self, lotes):
        self.rede.train()
        total = 0.0
        for x, r in lotes:
            self.otim.zero_grad()
            perda = self.criterio(self.rede(x), r)
            perda.backward()
            self.otim.step()
            total += perda.item()
        return total / len(lotes)

    @torch.no_grad()
    def mapa(self, imagem):
        """Rótulo de cada pixel de uma única imagem [1, H, W]."""
        self.rede.eval()
        notas = self.rede(imagem.unsqueeze(0))
        return notas.argmax(dim=1).squeeze(0)

    def avaliar(self, laminas):
        acertos = 0.0
        por_classe = torch.zeros(len(CLASSES), 2)
        for imagem, rotulo in laminas:
            igual = (self.mapa(imagem) == rotulo).float()
            acertos += igual.mean().item()
            for c in range(len(CLASSES)):
                onde = (rotulo == c).expand_as(igual)
                por_classe[c] += torch.stack([igual[onde].sum(), onde.sum().float()])
        return acertos / len(laminas), (por_classe[:, 0] / por_classe[:, 1]).tolist()


if __name__ == "__main__":
    torch.manual_seed(6)
    treino, teste = Laminas(160, semente=1), Laminas(50, semente=2)
    treinador = Treinador(MiniUNet(), taxa=5e-3)
    lotes = DataLoader(treino, batch_size=16, shuffle=True)
    for k in range(8):
        print(f"época {k + 1}: perda {treinador.epoca(lotes):.4f}")
    geral, classes = treinador.avaliar(teste)
    print(f"pixels certos: {geral:.3f}")
    for nome, v in zip(CLASSES, classes):
        print(f"  {nome}: {v:.3f}")
