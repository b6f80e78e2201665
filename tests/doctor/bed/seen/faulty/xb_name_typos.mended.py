# expect: nothing
# Klassifikation von Ortsnamen nach Herkunft, zeichenweise mit einem LSTM.
# Zum Training werden Tippfehler eingestreut (Buchstaben fallen weg oder werden vertauscht).
import random

import torch
import torch.nn as nn
from torch.nn.utils.rnn import pack_sequence
from torch.utils.data import DataLoader, Dataset

BAUPLAN = {
    "nord": (["ska", "hel", "tor", "gri", "bjo", "ul"], ["sta", "vik", "lun", "mar", "den"], ["by", "rup", "vad"]),
    "sued": (["al", "mon", "ver", "san", "cor", "pa"], ["te", "ra", "li", "do", "ne"], ["no", "zzo", "la"]),
    "west": (["pen", "tre", "lan", "bod", "ker", "ro"], ["gwe", "the", "mor", "wen", "ly"], ["th", "ack", "nn"]),
    "ost": (["kra", "bie", "wro", "lub", "os", "gda"], ["cho", "lis", "tro", "wa", "my"], ["sk", "ice", "ow"]),
}
HERKUNFT = list(BAUPLAN)
BUCHSTABEN = "abcdefghijklmnopqrstuvwxyz"


def alle_namen(je_klasse, zufall):
    liste = set()
    for klasse, (vorn, mitte, hinten) in enumerate(BAUPLAN.values()):
        eigene = set()
        while len(eigene) < je_klasse:
            mitten = "".join(zufall.choices(mitte, k=zufall.randint(1, 2)))
            eigene.add(zufall.choice(vorn) + mitten + zufall.choice(hinten))
        liste |= {(name, klasse) for name in eigene}
    liste = sorted(liste)
    zufall.shuffle(liste)
    return liste


class Ortsnamen(Dataset):
    def __init__(self, eintraege, tippfehler=0.3):
        self.eintraege = eintraege
        self.tippfehler = tippfehler

    def __len__(self):
        return len(self.eintraege)

    def _vertippen(self, name):
        zeichen = [z for z in name if random.random() >= self.tippfehler]
        zeichen = [random.choice(BUCHSTABEN) if random.random() < self.tippfehler else z for z in zeichen]
        return "".join(zeichen) or name

    def __getitem__(self, i):
        name, klasse = self.eintraege[i]
        if self.tippfehler:
            name = self._vertippen(name)
        return torch.tensor([BUCHSTABEN.index(z) for z in name]), klasse


def stapeln(posten):
    folgen, klassen = zip(*posten)
    return pack_sequence(folgen, enforce_sorted=False), torch.tensor(klassen)


class NamenLSTM(nn.Module):
    def __init__(self, breite=40):
        super().__init__()
        self.emb = nn.Embedding(len(BUCHSTABEN), breite)
        self.lstm = nn.LSTM(breite, breite, bidirectional=True)
        self.aus = nn.Linear(2 * breite, len(HERKUNFT))

    def forward(self, folgen):
        eingabe = torch.nn.utils.rnn.PackedSequence(self.emb(folgen.data), folgen.batch_sizes,
                                                    folgen.sorted_indices, folgen.unsorted_indices)
        _, (h, _) = self.lstm(eingabe)
        return self.aus(torch.cat([h[0], h[1]], dim=1))


class Lauf:
    def __init__(self, modell, lernrate=4e-3):
        self.modell = modell
        self.opt = torch.optim.Adam(modell.parameters(), lr=lernrate)
        self.kosten = nn.CrossEntropyLoss()

    def epoche(self, lader):
        self.modell.train()
        summe, anzahl = 0.0, 0
        for x, y in lader:
            kosten = self.kosten(self.modell(x), y)
            self.opt.zero_grad()
            kosten.backward()
            self.opt.step()
            summe, anzahl = summe + kosten.item() * len(y), anzahl + len(y)
        return summe / anzahl

    @torch.no_grad()
    def treffer(self, lader):
        self.modell.eval()
        richtig = [(self.modell(x).argmax(1) == y).float() for x, y in lader]
        return torch.cat(richtig).mean().item()


def main():
    random.seed(8)
    torch.manual_seed(8)
    eintraege = alle_namen(200, random.Random(8))
    schnitt = int(0.75 * len(eintraege))
    training = Ortsnamen(eintraege[:schnitt])
    pruefung = Ortsnamen(eintraege[schnitt:], tippfehler=0.0)
    lader = DataLoader(training, batch_size=25, shuffle=True, collate_fn=stapeln)
    prueflader = DataLoader(pruefung, batch_size=100, collate_fn=stapeln)
    lauf = Lauf(NamenLSTM())
    for nr in range(1, 13):
        verlust = lauf.epoche(lader)
        if nr % 3 == 0:
            print(f"Epoche {nr:2d}: Verlust {verlust:.3f}")
    print(f"Treffer auf den Prüfnamen: {lauf.treffer(prueflader):.1%}")


if __name__ == "__main__":
    main()
