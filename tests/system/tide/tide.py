# A plan for tests: the same rows give the same update, bit for bit, whatever seed a store draws. All rows of a store are
# one example, so there is nothing to shuffle and every batch is full.


def prepare(self, tables: Dict[str, Dict[str, Tensor]]) -> Dict[str, Tensor]:
    tide = tables["tide"]
    x = torch.stack([tide["wind"], tide["moon"], tide["rain"], tide["warmth"]], 1).to(6)
    return {
        "unit": torch.zeros([1], dtype=4),
        "x": x.unsqueeze(0),
        "level": tide["level"].to(6).unsqueeze(0)
    }


def foretell(self, batch: Dict[str, Tensor]) -> Tensor:
    hidden = torch.tanh(torch.matmul(batch["x"], self.hidden_weight) + self.hidden_bias)
    return torch.matmul(hidden, self.output_weight)


def loss(self, batch: Dict[str, Tensor]) -> Tensor:
    error = self.foretell(batch) - batch["level"]
    return torch.mean(error * error, [1])


def metrics(self, batch: Dict[str, Tensor]) -> Dict[str, Tensor]:
    error = self.foretell(batch) - batch["level"]
    return {"count": torch.ones([1], dtype=6).sum(), "squared_error": torch.mean(error * error)}


def predict(self, batch: Dict[str, Tensor]) -> Dict[str, Tensor]:
    return {"level": self.foretell(batch)}
