# expect: nothing
# LSTM mit Aufmerksamkeit: welches Wort folgt auf die Markierung?
import random

import torch
from torch import nn
from torch.nn.utils.rnn import pad_sequence
from torch.utils.data import DataLoader, Dataset

random.seed(3)
torch.manual_seed(3)

WOERTER = ["haus", "baum", "hund", "katze", "tisch", "stuhl", "licht", "wasser"]
FUELL, MARKE = 0, 1
VOK = {w: i + 2 for i, w in enumerate(WOERTER)}


class Saetze(Dataset):
    """Saetze, in denen genau ein Wort hinter der Marke steht; dieses ist die Klasse."""

    def __init__(self, n):
        self.daten = []
        for _ in range(n):
            laenge = random.randint(6, 18)
            satz = [VOK[random.choice(WOERTER)] for _ in range(laenge)]
            pos = random.randrange(laenge - 1)
            satz[pos] = MARKE
            self.daten.append((satz, satz[pos + 1] - 2))

    def __len__(self):
        return len(self.daten)

    def __getitem__(self, i):
        satz, ziel = self.daten[i]
        return torch.tensor(satz), ziel


def zusammen(stapel):
    saetze, ziele = zip(*stapel)
    return pad_sequence(saetze, batch_first=True, padding_value=FUELL), torch.tensor(ziele)


class AufmerksamesLSTM(nn.Module):
    def __init__(self, n_vok, n_klassen, dim=32):
        super().__init__()
        self.einbettung = nn.Embedding(n_vok, dim, padding_idx=FUELL)
        self.lstm = nn.LSTM(dim, dim, batch_first=True)
        self.bewertung = nn.Linear(dim, 1)
        self.kopf = nn.Linear(dim, n_klassen)

    def forward(self, x):
        zustaende, _ = self.lstm(self.einbettung(x))
        punkte = self.bewertung(torch.tanh(zustaende)).squeeze(-1)
        punkte = punkte.masked_fill(x == FUELL, -1e4)
        gewichte = torch.softmax(punkte, dim=1)
        kontext = (gewichte.unsqueeze(-1) * zustaende).sum(dim=1)
        return self.kopf(kontext)


def genauigkeit(netz, lader):
    netz.eval()
    richtig = gesamt = 0
    with torch.no_grad():
        for x, y in lader:
            richtig += (netz(x).argmax(1) == y).sum().item()
            gesamt += len(y)
    return richtig / gesamt


train = DataLoader(Saetze(1600), batch_size=32, shuffle=True, collate_fn=zusammen)
test = DataLoader(Saetze(400), batch_size=1, collate_fn=zusammen)

netz = AufmerksamesLSTM(len(WOERTER) + 2, len(WOERTER))
optimierer = torch.optim.Adam(netz.parameters(), lr=5e-3)
verlust_fn = nn.CrossEntropyLoss()

for epoche in range(8):
    netz.train()
    summe = 0.0
    for x, y in train:
        optimierer.zero_grad()
        verlust = verlust_fn(netz(x), y)
        verlust.backward()
        nn.utils.clip_grad_norm_(netz.parameters(), 5.0)
        optimierer.step()
        summe += verlust.item()
    print(f"Epoche {epoche + 1}  Verlust {summe / len(train):.3f}")
print(f"Genauigkeit auf den Testsätzen: {genauigkeit(netz, test):.3f}")
