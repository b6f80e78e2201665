# expect: nothing
# -*- coding: utf-8 -*-
# Classificador de frases curtas (positivo / negativo) com um encoder Transformer
import random

import torch
import torch.nn as nn
from torch.utils.data import DataLoader

SEMENTE = 21
random.seed(SEMENTE)
torch.manual_seed(SEMENTE)

bons = "ótimo lindo excelente adorei perfeito maravilhoso gostei bonito".split()
maus = "péssimo feio horrível odiei ruim terrível detestei triste".split()
neutros = "o filme a atriz cena final roteiro música muito pouco ontem sala livro era foi".split()
vocab = {p: i for i, p in enumerate(["<pad>"] + bons + maus + neutros)}


def frase():
    rotulo = random.randint(0, 1)
    certo, errado = (bons, maus) if rotulo else (maus, bons)
    palavras = random.choices(neutros, k=random.randint(4, 9))
    palavras += random.choices(certo, k=3) + random.choices(errado, k=2)
    random.shuffle(palavras)
    return [vocab[p] for p in palavras], rotulo


def juntar(lote):
    tam = max(len(f) for f, _ in lote)
    x = torch.zeros(len(lote), tam, dtype=torch.long)
    for i, (f, _) in enumerate(lote):
        x[i, :len(f)] = torch.tensor(f)
    return x, torch.tensor([r for _, r in lote])


class Classificador(nn.Module):
    def __init__(self, n_vocab, d=32):
        super().__init__()
        self.emb = nn.Embedding(n_vocab, d, padding_idx=0)
        camada = nn.TransformerEncoderLayer(d, nhead=4, dim_feedforward=64, dropout=0.3, batch_first=True)
        self.encoder = nn.TransformerEncoder(camada, num_layers=1, enable_nested_tensor=False)
        self.drop = nn.Dropout(0.5)
        self.fc = nn.Linear(d, 2)

    def forward(self, x):
        vazio = x == 0
        h = self.encoder(self.drop(self.emb(x)), src_key_padding_mask=vazio)
        h = h.masked_fill(vazio.unsqueeze(-1), 0.0).sum(1)
        h = h / (~vazio).sum(1, keepdim=True)
        return self.fc(self.drop(h))


def treinar_epoca(modelo, dados, criterio, otim):
    modelo.train()
    soma, n = 0.0, 0
    for x, y in dados:
        otim.zero_grad()
        perda = criterio(modelo(x), y)
        perda.backward()
        otim.step()
        soma += perda.item() * len(y)
        n += len(y)
    return soma / n


def avaliar(modelo, dados):
    modelo.eval()
    certos, n = 0, 0
    with torch.no_grad():
        for x, y in dados:
            certos += (modelo(x).argmax(1) == y).sum().item()
            n += len(y)
    return certos / n


treino = DataLoader([frase() for _ in range(1500)], batch_size=32, shuffle=True, collate_fn=juntar)
teste = DataLoader([frase() for _ in range(600)], batch_size=100, collate_fn=juntar)

modelo = Classificador(len(vocab))
criterio = nn.CrossEntropyLoss()
otim = torch.optim.AdamW(modelo.parameters(), lr=2e-3)

for ep in range(1, 9):
    perda = treinar_epoca(modelo, treino, criterio, otim)
    print(f"época {ep}: perda de treino {perda:.4f}")
print(f"acurácia no teste: {avaliar(modelo, teste):.4f}")
