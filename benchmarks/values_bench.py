"""What the parsers of values cost, each on distinct values as they are mostly written.

python -m benchmarks.values_bench
python -m benchmarks.values_bench --values 1000000
"""

import argparse
import time
from collections.abc import Callable

import numpy as np
import pandas as pd
import pyarrow as pa

from benchmarks.world.common import pad, take, vocabulary
from benchmarks.world.identifiers import landlines, mobile_numbers, unified_codes
from scoring.values import amounts, codes, domains, emails, industries, phones, regions, text, times

Parse = Callable[[pa.Array], pa.Table]


def cases(count: int) -> dict[str, tuple[Parse, pd.Series]]:
    """What is measured: name → parser and its values."""
    serial = np.arange(count)
    number, region = pad(serial, 1), vocabulary("regions.csv")
    place = serial % len(region)
    mobile, landline = mobile_numbers(serial), landlines(take(region["area_code"], place), serial)
    trades = vocabulary("industries.csv")["industry"]
    address = take(region["province"], place) + take(region["city"], place) + "人民路" + number + "号"
    day = pd.Series((np.datetime64("1990-01-01") + serial % 13_000).astype(str), dtype="str")
    clock = pad(serial // 3600 % 24, 2) + ":" + pad(serial // 60 % 60, 2) + ":" + pad(serial % 60, 2)
    return {
        "credit codes": (codes.parse_codes, unified_codes(take(region["city_code"], place), serial, serial % 2 == 0)),
        "mobiles": (phones.parse_phones, mobile),
        "landlines": (phones.parse_phones, landline),
        "two phones in a cell": (phones.parse_phones, mobile + ";" + landline),
        "mail addresses": (emails.parse_emails, "li" + number + "@firma" + number + ".com.cn"),
        "websites": (domains.parse_domains, "www.firma" + number + ".com.cn"),
        "addresses": (regions.parse_addresses, address),
        "times": (times.parse_times, day + " " + clock),
        "amounts with a unit": (amounts.parse_amounts, number + "万元人民币"),
        "plain amounts": (amounts.parse_amounts, number + ".50"),
        "headcounts": (amounts.parse_employees, number),
        "texts": (text.parse_texts, "第" + number + "号展台"),
        "industries": (industries.parse_industries, take(trades, serial % len(trades)) + pad(serial % 500, 1)),
    }


def main() -> None:
    """Print microseconds a value and values a second, in CPU time."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--values", type=int, default=200_000)
    count = parser.parse_args().values
    for name, (parse, values) in cases(count).items():
        column = pa.array(values, pa.string()).unique()
        parse(column.slice(0, 10))  # its word tables are read once a process
        started = time.process_time()
        parse(column)
        seconds = time.process_time() - started
        each = f"{seconds / len(column) * 1e6:7.2f} µs"
        print(f"{name:<22} {len(column):>9,} values {each}  {len(column) / seconds:>12,.0f} a CPU second")


if __name__ == "__main__":
    main()
