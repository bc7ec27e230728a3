"""Make country_names.csv: what countries are called beside their Chinese and English names, also in traditional script.

Run by hand when phonenumbers is renewed: `python -m scoring.values.data.make_country_names`. A name that several
countries have, or that is as short as a code, is left out. Names stand as they are looked up: lower case, without
spaces, with and without accents.
"""

import csv
import unicodedata
from pathlib import Path

import opencc
from phonenumbers.geodata.locale import LOCALE_DATA

from scoring.values.tables import load_csv

FILE = Path(__file__).with_name("country_names.csv")


def _written(name: str) -> set[str]:
    plain = unicodedata.normalize("NFKC", name).lower().replace(" ", "")
    if not plain.isascii() and unicodedata.name(plain[0], "").startswith("LATIN"):
        bare = "".join(char for char in unicodedata.normalize("NFKD", plain) if not unicodedata.combining(char))
        return {plain, bare}
    return {plain}


def main() -> None:
    """Write the file."""
    known = {row["code"]: set(row["names"].split("|")) for row in load_csv("countries")}
    to_traditional = opencc.OpenCC("s2t")
    found: dict[str, set[str]] = {}
    for code, names in known.items():
        told = [name for name in LOCALE_DATA.get(code, {}).values() if not name.startswith("*")]
        told += [to_traditional.convert(name) for name in names]
        found[code] = set().union(*map(_written, told)) - names if told else set()
    owners: dict[str, set[str]] = {}
    for code, names in [*known.items(), *found.items()]:
        for name in names:
            owners.setdefault(name, set()).add(code)
    with FILE.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(["code", "names"])
        for code, names in sorted(found.items()):
            sole = sorted(name for name in names if len(owners[name]) == 1 and (len(name) > 3 or not name.isascii()))
            if sole:
                writer.writerow([code, "|".join(sole)])


if __name__ == "__main__":
    main()
