#!/usr/bin/env python3
import argparse
import json
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import nn


@dataclass
class Config:
    steps: int = 36
    lr: float = 0.01
    hidden: int = 10
    out: str = "result"


class Trainer:
    def __init__(self, config: Config) -> None:
        self.config = config
        self.model = nn.Sequential(nn.Linear(4, config.hidden), nn.ELU(), nn.Linear(config.hidden, 1))
        self.optimizer = torch.optim.RAdam(self.model.parameters(), lr=config.lr)
        self.history: list[float] = []
        self.folder = Path(config.out).absolute()
        self.folder.mkdir()
        (self.folder / "config.json").write_text(json.dumps(asdict(config)))

    def training_step(self) -> float:
        x = torch.randn(8, 4)
        loss = nn.functional.mse_loss(self.model(x), x.amax(1, keepdim=True))
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        return loss.item()

    def fit(self) -> None:
        for step in range(self.config.steps):
            self.history.append(self.training_step())
            if step % 5 == 4:
                self.save(step)
                print(f"step {step}: mean of the last five {sum(self.history[-5:]) / 5:.6f}")

    def save(self, step: int) -> None:
        state = {"step": step, "model": self.model.state_dict(), "optimizer": self.optimizer.state_dict()}
        torch.save(state, self.folder / "state.pt")
        with open(self.folder / "history.json", "w") as file:
            json.dump(self.history, file)


def main() -> None:
    parser = argparse.ArgumentParser()
    for name, value in asdict(Config()).items():
        parser.add_argument(f"--{name}", type=type(value), default=value)
    torch.manual_seed(15)
    trainer = Trainer(Config(**vars(parser.parse_args())))
    trainer.fit()
    print(
        sorted(path.name for path in trainer.folder.iterdir()),
        torch.load(trainer.folder / "state.pt")["step"],
    )


if __name__ == "__main__":
    main()
