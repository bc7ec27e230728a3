"""Public matchers on contacts and companies as they come, for benchmarks.matching_peers; each in its own environment.

`PYTHON benchmarks/matching_adapters.py MATCHER ACCOUNTS.parquet CONTACTS.parquet OUT.parquet [PAIRS.parquet]` writes
the best company of every contact: contact_id, account_id, confidence (the matcher's own score, without a threshold).
"""

import sys
import warnings
from pathlib import Path

import numpy as np
import pandas as pd

# Contacts compared at a time: 100 rows of scores against a directory stay below 100 MB.
_BLOCK = 100
# Nothing is cut off: the threshold is chosen afterwards.
_LOWEST = 0.01


def rapidfuzz_matches(accounts: pd.DataFrame, contacts: pd.DataFrame) -> pd.DataFrame:
    """Every name with every other, by `fuzz.ratio` after its default processing."""
    from rapidfuzz import fuzz, process, utils

    choices = [utils.default_process(name) for name in accounts["name"]]
    names = [utils.default_process(name) for name in contacts["company"]]
    places, scores = [], []
    for start in range(0, len(names), _BLOCK):
        table = process.cdist(names[start : start + _BLOCK], choices, scorer=fuzz.ratio, dtype=np.float32)
        places.append(table.argmax(axis=1))
        scores.append(table.max(axis=1))
    best = np.concatenate(places)
    return _found(contacts["cid"].to_numpy(), accounts["id"].to_numpy()[best], np.concatenate(scores))


def string_grouper_matches(accounts: pd.DataFrame, contacts: pd.DataFrame) -> pd.DataFrame:
    """Cosine of TF-IDF 2-grams (its 3-grams see little of Chinese); characters are kept instead of folded to ASCII."""
    from string_grouper import match_strings

    pairs = match_strings(
        accounts["name"].reset_index(drop=True),
        contacts["company"].reset_index(drop=True),
        master_id=accounts["id"].reset_index(drop=True),
        duplicates_id=contacts["cid"].reset_index(drop=True),
        ngram_size=2,
        min_similarity=_LOWEST,
        max_n_matches=1,
        normalize_to_ascii=False,
    )
    return _found(pairs["right_cid"], pairs["left_id"], pairs["similarity"])


def emm_matches(accounts: pd.DataFrame, contacts: pd.DataFrame) -> pd.DataFrame:
    """Its default indexers (words, 2-grams, sorted neighbours) without a classifier: the highest cosine."""
    from emm import PandasEntityMatching

    model = PandasEntityMatching(name_only=True, entity_id_col="id", name_col="name", n_jobs=1)
    model.fit(accounts[["id", "name"]])
    given = contacts[["cid", "company"]].rename(columns={"cid": "id", "company": "name"})
    pairs = model.transform(given)
    scores = [column for column in pairs if str(column).startswith("score_")]
    return _found(pairs["entity_id"], pairs["gt_entity_id"], pairs[scores].max(axis=1))


def splink_matches(accounts: pd.DataFrame, contacts: pd.DataFrame) -> pd.DataFrame:
    """Its comparison for names with term frequencies, city and domain exact, trained by EM as documented."""
    import splink.comparison_level_library as cll
    import splink.comparison_library as cl
    from splink import DuckDBAPI, Linker, SettingsCreator, block_on

    left = pd.DataFrame(
        {"unique_id": contacts["cid"], "name": contacts["company"].str.lower(), "city": contacts["city"]}
    ).assign(domain=contacts["email"].str.split("@").str[-1].str.lower())
    site = accounts["website"].str.lower().str.replace(r"^(?:https?://)?(?:www\.)?", "", regex=True)
    right = pd.DataFrame(
        {"unique_id": accounts["id"], "name": accounts["name"].str.lower(), "city": accounts["city"]}
    ).assign(domain=site.str.split("/").str[0])
    rules = [
        block_on("name"),
        block_on("substr(name, 1, 4)"),
        block_on("substr(name, 3, 3)"),
        block_on("domain"),
        "substr(l.name, 1, 2) = substr(r.name, 3, 2)",
        "substr(r.name, 1, 2) = substr(l.name, 3, 2)",
    ]
    # No contact gives both a name and a mail address, so that training never sees a domain: set in the peer's favour.
    domain = [
        cll.NullLevel("domain"),
        cll.ExactMatchLevel("domain").configure(m_probability=0.95, u_probability=0.0001),
        cll.ElseLevel().configure(m_probability=0.05, u_probability=0.9999),
    ]
    settings = SettingsCreator(
        link_type="link_only",
        blocking_rules_to_generate_predictions=rules,
        comparisons=[
            cl.NameComparison("name"),
            cl.ExactMatch("city").configure(term_frequency_adjustments=True),
            cl.CustomComparison(output_column_name="domain", comparison_levels=domain),
        ],
    )
    api = DuckDBAPI()
    linker = Linker([api.register(left.astype(object)), api.register(right.astype(object))], settings)
    linker.training.estimate_probability_two_random_records_match([block_on("name")], recall=0.3)
    linker.training.estimate_u_using_random_sampling(max_pairs=2e6, seed=1)
    for rule in ("substr(name, 1, 4)", "city"):
        linker.training.estimate_parameters_using_expectation_maximisation(block_on(rule))
    pairs = linker.inference.predict(threshold_match_probability=0).as_pandas_dataframe()
    from_contact = pairs["unique_id_l"].isin(set(left["unique_id"]))
    contact = pairs["unique_id_l"].where(from_contact, pairs["unique_id_r"])
    account = pairs["unique_id_r"].where(from_contact, pairs["unique_id_l"])
    return _found(contact, account, pairs["match_weight"])


def goldenmatch_matches(accounts: pd.DataFrame, contacts: pd.DataFrame) -> pd.DataFrame:
    """A weighted match key on the name, the best reference of every target, blocks of leading and of inner characters.

    Its way over Polars: over Arrow it copies the table once for every block and takes minutes.
    """
    import goldenmatch
    import polars as pl
    from goldenmatch.config import schemas

    name = schemas.MatchkeyField(field="name", scorer="jaro_winkler", weight=1.0, transforms=["lowercase", "strip"])
    passes = [
        schemas.BlockingKeyConfig(fields=["name"], transforms=["lowercase", "strip", f"substring:{start}:{end}"])
        for start, end in ((0, 3), (2, 5))
    ]
    blocks = schemas.BlockingConfig(strategy="multi_pass", passes=passes, max_block_size=2000, skip_oversized=True)
    config = schemas.GoldenMatchConfig(
        matchkeys=[schemas.MatchkeyConfig(name="name", type="weighted", threshold=0.5, fields=[name])], blocking=blocks
    )
    target = pl.DataFrame({"key": contacts["cid"].to_list(), "name": contacts["company"].to_list()})
    reference = pl.DataFrame({"key": accounts["id"].to_list(), "name": accounts["name"].to_list()})
    pairs = goldenmatch.match_df(target, reference, config=config).matched
    return _found(*(pairs.column(column).to_pylist() for column in ("target_key", "ref_key", "__match_score__")))


MATCHERS = {
    "rapidfuzz": rapidfuzz_matches,
    "string_grouper": string_grouper_matches,
    "emm": emm_matches,
    "splink": splink_matches,
    "goldenmatch": goldenmatch_matches,
}


def _found(contact: object, account: object, score: object) -> pd.DataFrame:
    found = pd.DataFrame(
        {"contact_id": np.asarray(contact), "account_id": np.asarray(account), "confidence": np.asarray(score, float)}
    ).dropna()
    ranked = found.sort_values(["confidence", "account_id"], ascending=[False, True], kind="stable")
    return ranked.drop_duplicates("contact_id")


def main() -> None:
    """The command line."""
    warnings.simplefilter("ignore")
    matcher, accounts, contacts, out = sys.argv[1:5]
    given = pd.read_parquet(contacts)
    named = given if matcher == "splink" else given[given["company"].notna()]
    found = MATCHERS[matcher](pd.read_parquet(accounts), named)
    found.astype({"contact_id": str, "account_id": str}).to_parquet(Path(out), index=False)


if __name__ == "__main__":
    main()
