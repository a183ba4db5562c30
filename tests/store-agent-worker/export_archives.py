# Writes TorchScript archives as a PyTorch user would, good ones and hostile ones, into the folder given as argument.
# Run by Debian's /usr/bin/python3 with python3-torch.
import sys
from typing import Dict, List

import torch
from torch import Tensor, nn


class Line(nn.Module):
    def __init__(self, norm: nn.Module):
        super().__init__()
        self.layer = nn.Linear(1, 1)
        self.frozen = nn.Parameter(torch.ones(1), requires_grad=False)
        self.norm = norm

    def guess(self, batch: Dict[str, Tensor]) -> Tensor:
        return self.layer(self.norm(batch["x"].unsqueeze(1)))[:, 0] * self.frozen

    @torch.jit.export
    def prepare(self, tables: Dict[str, Dict[str, Tensor]]) -> Dict[str, Tensor]:
        points = tables["points"]
        return {
            "unit": torch.zeros_like(points["a"]),
            "time": points["a"],
            "x": points["x"].float(),
            "y": points["y"].float(),
        }

    @torch.jit.export
    def loss(self, batch: Dict[str, Tensor]) -> Tensor:
        return torch.nn.functional.mse_loss(self.guess(batch), batch["y"], reduction="none")

    @torch.jit.export
    def metrics(self, batch: Dict[str, Tensor]) -> Dict[str, Tensor]:
        error = self.guess(batch) - batch["y"]
        return {"count": torch.ones_like(error).sum(), "squared_error": error.square().sum()}

    @torch.jit.export
    def predict(self, batch: Dict[str, Tensor]) -> Dict[str, Tensor]:
        return {"y": self.guess(batch)}

    def forward(self, batch: Dict[str, Tensor]) -> Tensor:
        return self.guess(batch)


class RunsWhileLoading(Line):
    @torch.jit.export
    def __getstate__(self) -> List[Tensor]:
        return [self.frozen]

    @torch.jit.export
    def __setstate__(self, state: List[Tensor]) -> None:
        torch.save(state[0], "/tmp/aisle-escape")
        self.frozen = state[0]
        self.training = False


class Saves(Line):
    @torch.jit.export
    def predict(self, batch: Dict[str, Tensor]) -> Dict[str, Tensor]:
        torch.save(batch["x"], "/tmp/aisle-escape")
        return {"y": self.guess(batch)}


seen = torch.zeros(1)


class Adds(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x + seen.add_(x.sum())  # Traced, `seen` is a constant of the graph.


class Remembers(Line):
    def __init__(self):
        super().__init__(torch.jit.trace(Adds(), torch.zeros(1, 1), check_trace=False))


class Lists(Line):
    def __init__(self):
        super().__init__(nn.Identity())
        self.history = torch.jit.annotate(List[float], [0.0])

    @torch.jit.export
    def loss(self, batch: Dict[str, Tensor]) -> Tensor:
        self.history.append(float(batch["x"].sum()))
        return torch.square(self.guess(batch) - batch["y"]) + self.history[-2]


folder = sys.argv[1]
torch.manual_seed(1)
torch.jit.save(torch.jit.script(Line(nn.Identity())), folder + "/good.pt")
torch.jit.save(torch.jit.script(Line(nn.LayerNorm(1))), folder + "/layer_norm.pt")
torch.jit.save(torch.jit.script(Line(nn.BatchNorm1d(1))), folder + "/batch_norm.pt")
torch.jit.save(torch.jit.script(RunsWhileLoading(nn.Identity())), folder + "/setstate.pt")
torch.jit.save(torch.jit.script(Saves(nn.Identity())), folder + "/saves.pt")
torch.jit.save(torch.jit.script(Remembers()), folder + "/constant.pt")
torch.jit.save(torch.jit.script(Lists()), folder + "/list.pt")
torch.save({"weights": torch.ones(2)}, folder + "/no_script.pt")
