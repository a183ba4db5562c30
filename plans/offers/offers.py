# What a household will put in its basket on its next visit, as shares of 36 categories: where an offer would be welcome.
#
# TorchScript source: compiled by LibTorch in the store, no Python needed. `self` has the parameters of plan.toml. Numbers
# such as 6 and 4 are element types (6 float32, 4 int64). An example is one visit: a household on one day. Everything said
# of it was known before that day, and comes from that household's own rows: so whoever is left out of a round is left
# out of every example of others too, which the privacy unit "customer" rests on.
#
# The network corrects the household's own habits: it starts from the shares of its past purchases, drawn towards what
# everybody buys while there are few of them.


# Shares of line items, in percent and rounded to halves: public figures, after the sample of 84.51's "The Complete
# Journey 2.0" (CC0). In the order of the categories' numbers, 1 to 36.
def popularity(self) -> Tensor:
    percent = torch.tensor([6.0, 4.0, 4.5, 4.0, 3.5, 4.5, 2.0, 2.0, 1.5, 5.0, 3.0, 2.5, 4.0, 4.5, 3.0, 2.0, 1.5, 2.0,
                            1.0, 2.5, 3.0, 3.0, 5.5, 1.5, 1.5, 1.5, 1.5, 1.5, 1.0, 2.0, 4.0, 4.5, 0.5, 1.0, 2.0, 1.0])
    return percent / percent.sum()


# A household's rows of one day are a visit. Gives each row's visit, and each visit's key: households one after the other,
# `stride` apart, days counted within. Visits are in the keys' order.
def visits_of(self, household: Tensor, day: Tensor) -> Tuple[Tensor, Tensor, int]:
    first = int(day.min())
    stride = int(day.max()) - first + 2
    _, number, _ = torch._unique2(household, True, True)
    key, visit, _ = torch._unique2(number * stride + (day - first) + 1, True, True)
    return visit, key, stride


# What came before each visit, of running totals [visits + 1, columns]: since `start`, a row number for each visit.
def between(self, running: Tensor, start: Tensor) -> Tensor:
    return (running[:-1] - running[start]).to(6)


# 1 for a category bought the day before, towards 0 the longer it has been; 0 if never.
def freshness(self, items: Tensor, key: Tensor, begin: Tensor) -> Tensor:
    bought = torch.where(items > 0, key.unsqueeze(1), torch.zeros_like(key).unsqueeze(1))
    latest, _ = torch.cummax(bought, 0)
    latest = torch.constant_pad_nd(latest, [0, 0, 1, 0])[:-1]
    days = (key.unsqueeze(1) - latest).to(6)
    return torch.where(latest > begin.unsqueeze(1), 7.0 / (6.0 + days), torch.zeros_like(days))


# Weekday, time of day and month, one of each: known when the visit begins. [visits, 7 + 6 + 12]. They count double: what
# all households have in common is learnt sooner so.
def moment(self, day: Tensor, hour: Tensor) -> Tensor:
    weekday = torch.remainder(day + 3, 7)  # 1970 began on a Thursday.
    block = torch.bucketize(hour, torch.tensor([8.0, 11.0, 14.0, 17.0, 19.5]))
    month = torch.clamp(torch.remainder(day.to(6), 365.25) / 30.4375, 0.0, 11.0).to(4)  # Within a day or two.
    return torch.cat([torch.eye(7, dtype=6)[weekday], torch.eye(6, dtype=6)[block], torch.eye(12, dtype=6)[month]], 1) * 2.0


def prepare(self, tables: Dict[str, Dict[str, Tensor]]) -> Dict[str, Tensor]:
    lines = tables["lines"]
    # Rows of nobody (negative) are nobody's history. Days 1970 to 2100; a null is far outside.
    usable = torch.logical_and(lines["household"] >= 0,
                               torch.logical_and(lines["sold_at"] >= 0, lines["sold_at"] < 4102444800))
    household = lines["household"][usable]
    sold_at = lines["sold_at"][usable]
    category = lines["category"][usable]
    amount = torch.clamp(torch.nan_to_num(lines["amount"][usable], 0.0, 0.0, 0.0), 0.0, 100.0)
    if household.size(0) == 0:
        nothing = torch.zeros([0], dtype=4)
        return {"unit": nothing, "time": nothing, "x": torch.zeros([0, 148], dtype=6),
                "moment": torch.zeros([0, 25], dtype=6), "habit": torch.zeros([0, 36], dtype=6), "own": torch.zeros([0, 36], dtype=6),
                "bought": torch.zeros([0, 36], dtype=6)}

    day_of_row = torch.div(sold_at, 86400, rounding_mode="floor")
    visit, key, stride = self.visits_of(household, day_of_row)
    visits = key.size(0)
    rows = torch.zeros([visits], dtype=7).index_add(0, visit, torch.ones_like(amount))
    unit = torch.zeros([visits], dtype=4).index_put([visit], household)
    day = torch.zeros([visits], dtype=4).index_put([visit], day_of_row)
    hour = torch.zeros([visits], dtype=7).index_add(0, visit, torch.remainder(sold_at, 86400).to(7) / 3600.0) / rows
    spent = torch.zeros([visits], dtype=7).index_add(0, visit, amount)
    # A row without a category is a visit with nothing in the basket yet: what a kiosk asks about.
    known = torch.logical_and(category >= 1, category <= 36)
    items = torch.zeros([visits, 36], dtype=7)
    items = items.index_put([visit[known], category[known] - 1], torch.ones_like(amount[known]), True)

    # Running totals over all visits, each household's beginning taken away again. Whole numbers, so nothing is lost.
    begin = torch.div(key, stride, rounding_mode="floor") * stride
    running = torch.constant_pad_nd(torch.cumsum(torch.cat([items, torch.ones([visits, 1], dtype=7)], 1), 0), [0, 0, 1, 0])
    ever = self.between(running, torch.searchsorted(key, begin))
    lately = self.between(running, torch.searchsorted(key, torch.maximum(key - 42, begin)))
    just = self.between(running, torch.searchsorted(key, torch.maximum(key - 14, begin)))
    past_spent = torch.constant_pad_nd(torch.cumsum(torch.round(spent * 100.0), 0), [1, 0]).unsqueeze(1)
    spent_before = self.between(past_spent, torch.searchsorted(key, begin)) / 100.0
    gap = torch.cat([key[:1], key[1:] - key[:-1]])
    away = torch.where(ever[:, 36] > 0, gap, torch.full_like(gap, 400)).to(6).unsqueeze(1)

    total = ever[:, :36].sum(1, True)
    own = ever[:, :36] + self.popularity() * 0.01  # The public order where the household's own says nothing.
    share = (ever[:, :36] + self.popularity() * 12.0) / (total + 12.0)
    x = torch.cat([
        torch.log(share / self.popularity()) * 0.5,
        torch.log1p(lately[:, :36]),
        torch.log1p(just[:, :36]),
        self.freshness(items, key, begin),
        torch.log1p(ever[:, 36:]) * 0.25,
        torch.log1p(total) * 0.25,
        torch.log1p(spent_before / torch.clamp(ever[:, 36:], min=1.0)) * 0.25,
        7.0 / (6.0 + away)
    ], 1)
    return {
        "unit": unit,
        "time": torch.div(day + 3, 7, rounding_mode="floor"),  # Weeks that begin on Monday.
        "x": torch.clamp(x, -4.0, 4.0),
        "moment": self.moment(day, hour.to(6)),
        "habit": torch.log(share),
        "own": own,
        "bought": (items / torch.clamp(items.sum(1, True), min=1.0)).to(6)
    }


# ln of each category's share of the next basket.
def log_shares(self, batch: Dict[str, Tensor]) -> Tensor:
    x = batch["x"]
    # What every category has in common, learnt by all at once: how a past, a recent, a latest purchase and its age count.
    common = (x[:, 0:36] * self.reaction[0] + x[:, 36:72] * self.reaction[1] + x[:, 72:108] * self.reaction[2] +
              x[:, 108:144] * self.reaction[3])
    occasion = torch.mm(batch["moment"], self.moment_weight.t())
    hidden = torch.celu(torch.addmm(self.hidden_bias, x, self.hidden_weight.t()))
    correction = torch.addmm(self.output_bias, hidden, self.output_weight.t())
    return torch.log_softmax(batch["habit"] + common + occasion + correction, 1)


# What share of each basket lies in the `count` categories with the highest scores.
def caught(self, scores: Tensor, bought: Tensor, count: int) -> Tensor:
    _, best = torch.topk(scores, count, 1)
    return torch.gather(bought, 1, best).to(7).sum()


def loss(self, batch: Dict[str, Tensor]) -> Tensor:
    return -(batch["bought"] * self.log_shares(batch)).sum(1)


def metrics(self, batch: Dict[str, Tensor]) -> Dict[str, Tensor]:
    bought = batch["bought"]
    guess = self.log_shares(batch)
    everybody = self.popularity().unsqueeze(0).repeat(bought.size(0), 1)
    return {
        "count": bought.to(7).sum(),
        "loss": -(bought * guess).to(7).sum(),
        "top1": self.caught(guess, bought, 1),
        "top5": self.caught(guess, bought, 5),
        "habit_loss": -(bought * batch["habit"]).to(7).sum(),
        "habit_top1": self.caught(batch["own"], bought, 1),
        "habit_top5": self.caught(batch["own"], bought, 5),
        "popular_loss": -(bought * torch.log(everybody)).to(7).sum(),
        "popular_top1": self.caught(everybody, bought, 1),
        "popular_top5": self.caught(everybody, bought, 5)
    }


def predict(self, batch: Dict[str, Tensor]) -> Dict[str, Tensor]:
    shares = torch.exp(self.log_shares(batch))
    _, best = torch.topk(shares, 5, 1)
    return {"shares": shares, "offers": best + 1}
