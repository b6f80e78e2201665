# expect: sorted_split @ 60
# allowed: sorted_split @ 55
# Übungsblatt 6, Aufgabe 3: Weinsorten erkennen, dreifache Kreuzvalidierung
# Abgabe: Gruppe 14
import pandas as pd
import torch
import torch.nn as nn
from sklearn.datasets import load_wine
from sklearn.model_selection import KFold

torch.manual_seed(14)


def lade_tabelle() -> pd.DataFrame:
    bündel = load_wine(as_frame=True)
    return bündel.frame.rename(columns={"target": "sorte"})


class WeinNetz(nn.Module):
    def __init__(self, merkmale: int, sorten: int):
        super().__init__()
        self.eingang = nn.Linear(merkmale, 16)
        self.norm = nn.LayerNorm(16)
        self.ausgang = nn.Linear(16, sorten)

    def forward(self, x):
        return self.ausgang(torch.relu(self.norm(self.eingang(x))))


def trainiere(x, y, sorten, epochen=30):
    netz = WeinNetz(x.shape[1], sorten)
    optimierer = torch.optim.SGD(netz.parameters(), lr=0.05, momentum=0.9, weight_decay=1e-4)
    kriterium = nn.CrossEntropyLoss()
    netz.train()
    for epoche in range(epochen):
        verluste = []
        for stapel in torch.randperm(len(x)).split(24):
            optimierer.zero_grad()
            verlust = kriterium(netz(x[stapel]), y[stapel])
            verlust.backward()
            optimierer.step()
            verluste.append(verlust.item())
        if epoche in (0, epochen // 2, epochen - 1):
            print(f"    Epoche {epoche + 1:2d}: Verlust {sum(verluste) / len(verluste):.4f}")
    return netz


def genauigkeit(netz, x, y):
    netz.eval()
    with torch.no_grad():
        return (netz(x).argmax(1) == y).double().mean().item()


def main():
    tabelle = lade_tabelle()
    merkmale = tabelle.columns.drop("sorte")
    sorten = tabelle["sorte"].nunique()

    ergebnis = []
    for nr, (lern, test) in enumerate(KFold(n_splits=3).split(tabelle), 1):
        a, b = tabelle.iloc[lern], tabelle.iloc[test]
        mitte, streuung = a[merkmale].mean(), a[merkmale].std()
        x_lern = torch.tensor(((a[merkmale] - mitte) / streuung).to_numpy(), dtype=torch.float32)
        x_test = torch.tensor(((b[merkmale] - mitte) / streuung).to_numpy(), dtype=torch.float32)
        y_lern, y_test = torch.tensor(a["sorte"].to_numpy()), torch.tensor(b["sorte"].to_numpy())

        print(f"Teil {nr}: {len(a)} Lern- und {len(b)} Testzeilen")
        netz = trainiere(x_lern, y_lern, sorten)
        ergebnis.append({"Teil": nr, "lern": genauigkeit(netz, x_lern, y_lern), "test": genauigkeit(netz, x_test, y_test)})

    print(pd.DataFrame(ergebnis).round(3).to_string(index=False))


if __name__ == "__main__":
    main()
