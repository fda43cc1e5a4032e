"""Clean shops of different kinds, made from a seed, and ways in which their exports go wrong."""

from __future__ import annotations

import numpy as np
import pandas as pd

STATUSES = ["paid", "Paid", "shipped", "completed", "fulfilled", "delivered"]


def clean_shop(seed: int) -> pd.DataFrame:
    """Make the order lines of a clean shop: some hundred customers, some years, some cancellations.

    Columns: customer, order_no, line, day, amount, status. Customers differ in how often they order
    (gamma) and how much they spend (lognormal); some shops sell in a season, some every day.
    """
    rng = np.random.default_rng(seed)
    num_customers = int(rng.integers(150, 900))
    num_days = int(rng.integers(300, 1100))
    rate = rng.gamma(0.8, rng.uniform(2, 8), num_customers) + 0.2
    spend = rng.lognormal(3, 0.6, num_customers)
    style = rng.choice(["C{:05d}", "{}", "cust-{:x}", "{:08d}"])
    is_seasonal = rng.random() < 0.25
    orders = []
    for customer in range(num_customers):
        first = rng.integers(0, num_days - 30)
        for _ in range(1 + rng.poisson(rate[customer] * (num_days - first) / num_days)):
            day = int(rng.integers(first, num_days))
            if is_seasonal and day % 365 < 290 and rng.random() < 0.97:
                day = min(int(day - day % 365 + rng.integers(290, 365)), num_days - 1)
            orders.append((customer, day))
    frame = pd.DataFrame(orders, columns=["customer", "day"]).sort_values(["day", "customer"])
    frame["order_no"] = [f"O{number}" for number in range(len(frame))]
    frame = frame.loc[frame.index.repeat(rng.integers(1, 5, len(frame)))].reset_index(drop=True)
    frame["line"] = frame.groupby("order_no").cumcount() + 1
    frame["amount"] = np.round(spend[frame["customer"]] * rng.lognormal(0, 0.5, len(frame)), 2)
    frame["status"] = rng.choice(STATUSES)
    cancelled = frame["order_no"].isin(
        rng.choice(frame["order_no"].unique(), len(frame) // 50, replace=False)
    )
    frame.loc[cancelled, "status"] = "cancelled"
    frame["customer"] = [style.format(1000 + customer) for customer in frame["customer"]]
    frame["day"] = (pd.Timestamp("2022-01-01") + pd.to_timedelta(frame["day"], "D")).dt.strftime(
        "%Y-%m-%d"
    )
    frame["line"] = frame["order_no"] + "-" + frame["line"].astype(str)
    return frame
