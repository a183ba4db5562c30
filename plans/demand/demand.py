# Weekly demand of each brand in one store: the log of units sold in week t, from what is known before week t begins.
#
# TorchScript source: compiled by LibTorch in the store, no Python needed. `self` has the parameters of plan.toml. Numbers
# such as 6 and 4 are element types (6 float32, 4 int64). All constants below are round public figures for the category;
# none was computed from a store's rows.
#
# The network predicts how far the week will be from the brand's own recent level in this store, so that a store it has
# never seen starts from its own history and only the reaction to prices, deals and the season is learnt together.
#
# Privacy's noise moves all weights alike and reaches the output in proportion to the input behind each. The whole shelf's
# prices and the neighbourhood are 22 of the 51 inputs and say little each; at full size they would carry most of the
# noise, so they enter small.


# [brands, weeks] moved `weeks` into the future: entry t holds what was known of week t - weeks; 0 before the beginning.
def shift(self, grid: Tensor, weeks: int) -> Tensor:
    return torch.constant_pad_nd(grid, [weeks, 0])[:, : grid.size(1)]


# Mean over the `weeks` weeks before each week, of those that are known, and how many were.
def recent_mean(self, grid: Tensor, known: Tensor, weeks: int) -> Tuple[Tensor, Tensor]:
    total = torch.zeros_like(grid)
    count = torch.zeros_like(grid)
    for k in range(1, weeks + 1):
        total = total + self.shift(grid * known, k)
        count = count + self.shift(known, k)
    return total / torch.clamp(count, min=1.0), count


# One value per row, as a [brands, weeks] grid with gaps of 0.
def to_grid(self, values: Tensor, brand: Tensor, time: Tensor, weeks: int) -> Tensor:
    grid = torch.zeros([11, weeks], dtype=6)
    return torch.index_put(grid, [brand, time], values.to(6))


# ln of the shelf price of every brand in every week, in units of 0.2 around -3.35 (3.5 cents an ounce); weeks without a
# shelf row count as average.
def shelf_prices(self, shelf: Dict[str, Tensor], first: int, weeks: int) -> Tensor:
    columns = torch.stack([shelf["price1"], shelf["price2"], shelf["price3"], shelf["price4"], shelf["price5"],
                           shelf["price6"], shelf["price7"], shelf["price8"], shelf["price9"], shelf["price10"],
                           shelf["price11"]])
    logs = (torch.log(torch.clamp(torch.nan_to_num(columns, 0.035), min=0.005)) + 3.35) / 0.2
    time = shelf["week"] - first
    inside = torch.logical_and(time >= 0, time < weeks)
    grid = torch.zeros([11, weeks], dtype=6)
    grid[:, time[inside]] = logs[:, inside].to(6)
    return grid


def trait_row(self, traits: Dict[str, Tensor]) -> Tensor:
    values = torch.stack([traits["age60"], traits["educ"], traits["ethnic"], traits["income"], traits["hhlarge"],
                          traits["workwom"], traits["hval150"], traits["sstrdist"], traits["sstrvol"],
                          traits["cpdist5"], traits["cpwvol5"]])[:, 0]
    center = torch.tensor([0.17, 0.23, 0.16, 10.6, 0.12, 0.36, 0.36, 5.0, 1.2, 2.1, 0.45], dtype=7)
    spread = torch.tensor([0.06, 0.11, 0.20, 0.3, 0.03, 0.05, 0.24, 3.5, 0.5, 0.7, 0.22], dtype=7)
    return torch.clamp(torch.nan_to_num((values - center) / spread), -3.0, 3.0).to(6)


def prepare(self, tables: Dict[str, Dict[str, Tensor]]) -> Dict[str, Tensor]:
    sales = tables["sales"]
    usable = torch.logical_and(torch.isfinite(sales["units_log"]),
                               torch.logical_and(sales["brand"] >= 1, sales["brand"] <= 11))
    week = sales["week"][usable]
    brand = sales["brand"][usable] - 1
    first = int(week.min())
    time = week - first
    weeks = int(time.max()) + 1

    level = self.to_grid(sales["units_log"][usable] - 8.5, brand, time, weeks)
    known = self.to_grid(torch.ones_like(time), brand, time, weeks)
    deal = self.to_grid(torch.nan_to_num(sales["deal"][usable]), brand, time, weeks)
    feature = self.to_grid(torch.nan_to_num(sales["feature"][usable]), brand, time, weeks)
    own_price = (torch.log(torch.clamp(torch.nan_to_num(sales["price"][usable], 0.035), min=0.005)) + 3.35) / 0.2
    price = self.to_grid(own_price, brand, time, weeks)
    shelf = self.shelf_prices(tables["shelf"], first, weeks)

    usual_price, _ = self.recent_mean(price, known, 8)
    usual_deal, _ = self.recent_mean(deal, known, 8)
    usual_feature, _ = self.recent_mean(feature, known, 8)
    base, seen = self.recent_mean(level, known, 8)
    shorter, seen_lately = self.recent_mean(level, known, 3)
    latest = base
    for k in [8, 7, 6, 5, 4, 3, 2, 1]:
        latest = torch.where(self.shift(known, k) > 0, self.shift(level, k), latest)

    angle = (week.to(6) * 0.1204151).unsqueeze(1)  # 2 pi / 52.18 weeks.
    parts = [
        torch.eye(11, dtype=6)[brand],
        price[brand, time].unsqueeze(1),
        (price - usual_price)[brand, time].unsqueeze(1),
        (price - self.shift(price, 1) * self.shift(known, 1))[brand, time].unsqueeze(1) * self.shift(known, 1)[brand, time].unsqueeze(1),
        deal[brand, time].unsqueeze(1),
        feature[brand, time].unsqueeze(1),
        usual_deal[brand, time].unsqueeze(1),
        usual_feature[brand, time].unsqueeze(1),
        self.shift(deal, 1)[brand, time].unsqueeze(1),
        self.shift(feature, 1)[brand, time].unsqueeze(1),
        base[brand, time].unsqueeze(1),
        (shorter - base)[brand, time].unsqueeze(1) * (seen_lately > 0)[brand, time].unsqueeze(1).to(6),
        ((self.shift(level, 1) - base) * self.shift(known, 1))[brand, time].unsqueeze(1),
        ((self.shift(level, 2) - base) * self.shift(known, 2))[brand, time].unsqueeze(1),
        ((self.shift(level, 4) - base) * self.shift(known, 4))[brand, time].unsqueeze(1),
        self.shift(known, 1)[brand, time].unsqueeze(1),
        (seen / 8.0)[brand, time].unsqueeze(1),
        shelf.t()[time] * 0.4,
        torch.sin(angle) * 0.25, torch.cos(angle) * 0.25,  # Kept small: two years are few to learn a season from.
        (self.trait_row(tables["traits"]) * 0.3).unsqueeze(0).repeat(week.size(0), 1)
    ]
    x = torch.clamp(torch.cat(parts, 1), -6.0, 6.0)
    rows = torch.nonzero(seen[brand, time] > 0)[:, 0]  # A brand's first week has no past to start from.
    return {
        "unit": torch.zeros([rows.size(0)], dtype=4),
        "time": week[rows],
        "x": x[rows],
        "base": (base[brand, time] + 8.5)[rows],
        "latest": (latest[brand, time] + 8.5)[rows],
        "units_log": sales["units_log"][usable][rows].to(6)
    }


# How far from its base each example's units_log will be.
def network(self, x: Tensor) -> Tensor:
    hidden = torch.celu(torch.addmm(self.hidden1_bias, x, self.hidden1_weight.t()))
    hidden = torch.celu(torch.addmm(self.hidden2_bias, hidden, self.hidden2_weight.t()))
    return torch.addmm(self.output_bias, hidden, self.output_weight.t())[:, 0]


# Squared near zero, linear beyond one: a week of ten times the usual sales shouldn't outvote all others.
def huber(self, error: Tensor) -> Tensor:
    size = torch.abs(error)
    return torch.where(size < 1.0, 0.5 * error * error, size - 0.5)


def loss(self, batch: Dict[str, Tensor]) -> Tensor:
    return self.huber(batch["base"] + self.network(batch["x"]) - batch["units_log"])


def metrics(self, batch: Dict[str, Tensor]) -> Dict[str, Tensor]:
    truth = batch["units_log"].to(7)
    units = torch.exp(truth)
    guess = (batch["base"] + self.network(batch["x"])).to(7)
    latest = batch["latest"].to(7)
    return {
        "count": torch.ones_like(truth).sum(),
        "loss": self.huber(guess - truth).sum(),
        "squared_error": torch.square(guess - truth).sum(),
        "absolute_error_units": torch.abs(torch.exp(guess) - units).sum(),
        "units": units.sum(),
        "naive_squared_error": torch.square(latest - truth).sum(),
        "naive_absolute_error_units": torch.abs(torch.exp(latest) - units).sum()
    }


def predict(self, batch: Dict[str, Tensor]) -> Dict[str, Tensor]:
    units_log = batch["base"] + self.network(batch["x"])
    return {"units_log": units_log, "units": torch.exp(units_log)}
