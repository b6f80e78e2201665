# missed: scaler_leakage @ 43
# mend: 43 →         self.scaler.fit(train_data.values)
"""NLinear on a table of six building sensors; the data class follows the long-horizon forecasting repositories."""
import argparse

import numpy as np
import pandas as pd
import torch
import torch.nn as nn
from sklearn.preprocessing import StandardScaler
from torch.utils.data import DataLoader, Dataset


def building_table(n_hours=3000, seed=0):
    rng = np.random.default_rng(seed)
    h = np.arange(n_hours)
    season = np.sin(2 * np.pi * h / 4000 - 0.6)
    cols = {}
    for i, name in enumerate(["t_out", "t_room", "humidity", "co2", "heat_kw", "power_kw"]):
        noise = np.zeros(n_hours)
        for k in range(1, n_hours):
            noise[k] = 0.8 * noise[k - 1] + 0.3 * rng.normal()
        cols[name] = 10 * (i + 1) + 3 * season * (-1) ** i + 2.0 * np.sin(2 * np.pi * (h + 3 * i) / 24) + 0.6 * noise
    return pd.DataFrame(cols)


class Dataset_Custom(Dataset):
    def __init__(self, df_raw, flag, size):
        self.seq_len, self.pred_len = size
        self.set_type = {"train": 0, "val": 1, "test": 2}[flag]
        self.scaler = StandardScaler()
        self.__read_data__(df_raw)

    def __read_data__(self, df_raw):
        num_train, num_test = int(len(df_raw) * 0.7), int(len(df_raw) * 0.2)
        num_vali = len(df_raw) - num_train - num_test
        border1s = [0, num_train - self.seq_len, len(df_raw) - num_test - self.seq_len]
        border2s = [num_train, num_train + num_vali, len(df_raw)]
        border1, border2 = border1s[self.set_type], border2s[self.set_type]

        df_data = df_raw.astype("float32")
        train_data = df_data[border1s[0]:border2s[0]]
        self.scaler.fit(df_data.values)
        data = self.scaler.transform(df_data.values)
        self.data = torch.from_numpy(data[border1:border2]).float()

    def __getitem__(self, index):
        mid = index + self.seq_len
        return self.data[index:mid], self.data[mid:mid + self.pred_len]

    def __len__(self):
        return len(self.data) - self.seq_len - self.pred_len + 1


class NLinear(nn.Module):
    def __init__(self, seq_len, pred_len):
        super().__init__()
        self.linear = nn.Linear(seq_len, pred_len)

    def forward(self, x):
        last = x[:, -1:, :].detach()
        return self.linear((x - last).transpose(1, 2)).transpose(1, 2) + last


def data_provider(df, flag, args):
    data_set = Dataset_Custom(df, flag, (args.seq_len, args.pred_len))
    return DataLoader(data_set, batch_size=args.batch_size, shuffle=(flag == "train"))


@torch.no_grad()
def vali(model, loader):
    model.eval()
    sq, ab, n = 0.0, 0.0, 0
    for x, y in loader:
        diff = model(x) - y
        sq, ab, n = sq + diff.pow(2).sum().item(), ab + diff.abs().sum().item(), n + diff.numel()
    return sq / n, ab / n


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--seq_len", type=int, default=48)
    parser.add_argument("--pred_len", type=int, default=12)
    parser.add_argument("--batch_size", type=int, default=32)
    parser.add_argument("--train_epochs", type=int, default=3)
    parser.add_argument("--learning_rate", type=float, default=3e-3)
    args = parser.parse_args()
    torch.manual_seed(2021)

    df = building_table()
    loaders = {flag: data_provider(df, flag, args) for flag in ("train", "val", "test")}
    model = NLinear(args.seq_len, args.pred_len)
    optim = torch.optim.Adam(model.parameters(), lr=args.learning_rate)
    best_vali, best_state = np.inf, None
    for epoch in range(args.train_epochs):
        model.train()
        train_loss = []
        for x, y in loaders["train"]:
            optim.zero_grad()
            loss = nn.functional.mse_loss(model(x), y)
            loss.backward()
            optim.step()
            train_loss.append(loss.item())
        vali_loss, _ = vali(model, loaders["val"])
        if vali_loss < best_vali:
            best_vali, best_state = vali_loss, {k: v.clone() for k, v in model.state_dict().items()}
        print(f"Epoch: {epoch + 1} | Train Loss: {np.mean(train_loss):.5f} Vali Loss: {vali_loss:.5f}")
    model.load_state_dict(best_state)
    mse, mae = vali(model, loaders["test"])
    print(f"test mse:{mse:.5f}, mae:{mae:.5f}")
