# expect: lr_too_low @ 55
# allowed: lr_too_low @ 56
# allowed: lr_too_low @ 57
# "Tradução" de números: dígitos -> palavras inventadas, transformer encoder-decoder.
import warnings

import torch
from torch import nn
from torch.nn.utils.rnn import pad_sequence
from torch.utils.data import DataLoader

warnings.filterwarnings("ignore", message=".*nested tensors.*")
torch.manual_seed(9)
PAD, INI, FIM = 0, 1, 2
DIG = 3                      # dígitos ocupam 3..12 na entrada
SILABAS = torch.randint(3, 11, (10, 2))   # cada dígito vira duas sílabas
D = 32


def exemplo():
    n = int(torch.randint(5, 8, (1,)))
    digitos = torch.randint(0, 10, (n,))
    alvo = torch.cat([torch.tensor([INI]), SILABAS[digitos].flatten(), torch.tensor([FIM])])
    return digitos + DIG, alvo


def juntar(lote):
    fonte, alvo = zip(*lote)
    return pad_sequence(fonte, True, PAD), pad_sequence(alvo, True, PAD)


class Tradutor(nn.Module):
    def __init__(self):
        super().__init__()
        self.ent = nn.Embedding(13, D, padding_idx=PAD)
        self.sai = nn.Embedding(11, D, padding_idx=PAD)
        self.pos = nn.Embedding(16, D)
        self.tr = nn.Transformer(D, 4, 1, 1, 64, dropout=0.0, batch_first=True)
        self.proj = nn.Linear(D, 11)

    def com_pos(self, e):
        return e + self.pos(torch.arange(e.size(1)))

    def forward(self, f, a):
        mascara = torch.ones(a.size(1), a.size(1), dtype=torch.bool).triu(1)
        h = self.tr(
            self.com_pos(self.ent(f)), self.com_pos(self.sai(a)), tgt_mask=mascara,
            src_key_padding_mask=f == PAD, memory_key_padding_mask=f == PAD,
            tgt_key_padding_mask=a == PAD,
        )
        return self.proj(h)


def noam(modelo, aquecer=120):
    otim = torch.optim.Adam(modelo.parameters(), lr=1e-3, betas=(0.9, 0.98), eps=1e-9)
    fator = lambda p: D**-0.5 * min((p + 1) ** -0.5, (p + 1) * aquecer**-1.5)
    return otim, torch.optim.lr_scheduler.LambdaLR(otim, fator)


def medir(modelo, dados):
    modelo.eval()
    certo = total = 0
    with torch.no_grad():
        for f, a in dados:
            palpite = modelo(f, a[:, :-1]).argmax(-1)
            vale = a[:, 1:] != PAD
            certo += ((palpite == a[:, 1:]) & vale).sum().item()
            total += vale.sum().item()
    return certo / total


treino = DataLoader([exemplo() for _ in range(1500)], 50, shuffle=True, collate_fn=juntar)
prova = DataLoader([exemplo() for _ in range(300)], 100, collate_fn=juntar)
modelo = Tradutor()
otim, ritmo = noam(modelo)
perda_fn = nn.CrossEntropyLoss(ignore_index=PAD)

for epoca in range(6):
    modelo.train()
    soma = 0.0
    for f, a in treino:
        saida = modelo(f, a[:, :-1])
        perda = perda_fn(saida.flatten(0, 1), a[:, 1:].flatten())
        otim.zero_grad()
        perda.backward()
        otim.step()
        ritmo.step()
        soma += perda.item()
    print(f"época {epoca}: perda {soma / len(treino):.3f}")
print(f"sílabas certas na prova: {medir(modelo, prova):.3f}")
