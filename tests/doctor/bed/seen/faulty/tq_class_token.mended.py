# expect: nothing
"""A transformer reads a picture row by row, behind a token of its own."""
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn

torch.manual_seed(1)
pictures, digits = load_digits(return_X_y=True)
parts = train_test_split(pictures / 16, digits, test_size=400, stratify=digits, random_state=0)
x_train, x_test, y_train, y_test = (torch.as_tensor(p) for p in parts)


class Reader(nn.Module):
    def __init__(self, width: int = 32) -> None:
        super().__init__()
        self.enter = nn.Linear(8, width)
        self.token = nn.Parameter(torch.zeros(1, 1, width))
        self.place = nn.Parameter(0.02 * torch.randn(1, 9, width))
        layer = nn.TransformerEncoderLayer(width, 4, 64, dropout=0.0, batch_first=True)
        self.body = nn.TransformerEncoder(layer, 1)
        self.leave = nn.Linear(width, 10)

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        token = self.token.expand(len(rows), -1, -1)
        tokens = torch.cat([token, self.enter(rows)], dim=1) + self.place
        return self.leave(self.body(tokens)[:, 0])


def pictures_of(flat: torch.Tensor) -> torch.Tensor:
    return flat.float().reshape(-1, 8, 8)


def main() -> None:
    net = Reader()
    loss_of = nn.CrossEntropyLoss()
    optimizer = torch.optim.AdamW(net.parameters(), lr=3e-3)
    for epoch in range(8):
        net.train()
        for rows in torch.randperm(len(x_train)).split(70):
            loss = loss_of(net(pictures_of(x_train[rows])), y_train[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        net.eval()
        with torch.no_grad():
            right = (net(pictures_of(x_test)).argmax(1) == y_test).float().mean()
        print(f"{epoch}: {right:.3f}")


main()
