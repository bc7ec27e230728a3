"""Public resolvers on rows that were cleaned by us, for benchmarks.directory_bench; each in an environment of its own.

`PYTHON benchmarks/directory_peers.py splink|recordlinkage ROWS.parquet` prints one line of JSON: precision, recall, F1
at the threshold that is best for the peer, and the CPU seconds of blocking, training, scoring and clustering.
"""

import json
import sys
import time
import warnings

import numpy as np
import pandas as pd
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

THRESHOLDS = (0.01, 0.1, 0.3, 0.5, 0.7, 0.8, 0.9, 0.95, 0.99, 0.999, 0.9999)
BLOCKS = ("name_key", "name_core", "uscc", "registration_no", "phone", "email", "domain", "name_en_key")


def splink_pairs(rows: pd.DataFrame) -> pd.DataFrame:
    """Its documented way of deduplicating: comparison library, EM training, prediction, clusters."""
    import splink.comparison_level_library as cll
    import splink.comparison_library as cl
    from splink import DuckDBAPI, Linker, SettingsCreator, block_on

    def given(column: str) -> object:
        """Numbers that matches never disagree on leave training nothing to learn: set in the peer's favour."""
        levels = [
            cll.NullLevel(column),
            cll.ExactMatchLevel(column).configure(m_probability=0.98, fix_m_probability=True),
            cll.ElseLevel().configure(m_probability=0.02, fix_m_probability=True),
        ]
        return cl.CustomComparison(output_column_name=column, comparison_levels=levels)

    settings = SettingsCreator(
        link_type="dedupe_only",
        blocking_rules_to_generate_predictions=[block_on(column) for column in BLOCKS],
        comparisons=[
            cl.JaroWinklerAtThresholds("name_key", [0.97, 0.92, 0.85]).configure(term_frequency_adjustments=True),
            given("uscc"),
            given("registration_no"),
            cl.ExactMatch("phone").configure(term_frequency_adjustments=True),
            cl.ExactMatch("email").configure(term_frequency_adjustments=True),
            cl.ExactMatch("domain").configure(term_frequency_adjustments=True),
            cl.ExactMatch("city_code"),
            cl.ExactMatch("name_form"),
            cl.JaroWinklerAtThresholds("address", [0.95, 0.85]),
            given("legal_representative"),
            given("founded_on"),
        ],
    )
    api = DuckDBAPI()
    linker = Linker(
        api.register(rows) if hasattr(api, "register") else rows, settings, *([] if hasattr(api, "register") else [api])
    )
    linker.training.estimate_probability_two_random_records_match(
        [block_on("uscc"), block_on("name_key", "city_code")], recall=0.7
    )
    linker.training.estimate_u_using_random_sampling(max_pairs=2e6)
    for rule in ("name_key", "phone", "domain"):
        linker.training.estimate_parameters_using_expectation_maximisation(block_on(rule))
    predictions = linker.inference.predict(threshold_match_probability=min(THRESHOLDS))
    linker.clustering.cluster_pairwise_predictions_at_threshold(predictions, threshold_match_probability=0.95)
    found = predictions.as_pandas_dataframe()
    return found.rename(columns={"unique_id_l": "a", "unique_id_r": "b", "match_probability": "score"})[
        ["a", "b", "score"]
    ]


def recordlinkage_pairs(rows: pd.DataFrame) -> pd.DataFrame:
    """Its documented way: indexing, comparing, the unsupervised ECM classifier."""
    import recordlinkage

    frame = rows.set_index("unique_id")
    indexer = recordlinkage.Index()
    for column in BLOCKS:
        indexer.block(column)
    pairs = indexer.index(frame[list(dict.fromkeys([*BLOCKS, "city_code"]))].dropna(how="all"))
    compare = recordlinkage.Compare()
    compare.string("name_key", "name_key", method="jarowinkler", threshold=0.9)
    for column in (
        "uscc",
        "registration_no",
        "phone",
        "email",
        "domain",
        "city_code",
        "legal_representative",
        "founded_on",
    ):
        compare.exact(column, column)
    vectors = compare.compute(pairs, frame)
    ecm = recordlinkage.ECMClassifier(binarize=0.5)
    ecm.fit(vectors)
    score = ecm.prob(vectors)
    return pd.DataFrame(
        {"a": [pair[0] for pair in score.index], "b": [pair[1] for pair in score.index], "score": np.asarray(score)}
    )


def _figures(rows: pd.DataFrame, pairs: pd.DataFrame) -> dict[str, float]:
    place = {name: number for number, name in enumerate(rows["unique_id"])}
    a, b = pairs["a"].map(place).to_numpy(), pairs["b"].map(place).to_numpy()
    best: dict[str, float] = {"f1": -1.0}
    for threshold in THRESHOLDS:
        mask = pairs["score"].to_numpy() >= threshold
        edges = coo_matrix((np.ones(mask.sum()), (a[mask], b[mask])), shape=(len(rows), len(rows)))
        made = rows.assign(account=connected_components(edges, directed=False)[1])
        counts = [_pairs(made, keys) for keys in (["entity"], ["account"], ["entity", "account"])]
        precision, recall = counts[2] / max(counts[1], 1), counts[2] / max(counts[0], 1)
        f1 = 2 * precision * recall / max(precision + recall, 1e-9)
        if f1 > best["f1"]:
            best = {"precision": precision, "recall": recall, "f1": f1, "threshold": threshold}
    return best


def _pairs(rows: pd.DataFrame, keys: list[str]) -> int:
    size = rows.groupby(keys).size().to_numpy()
    return int((size * (size - 1) // 2).sum())


def main() -> None:
    """The command line."""
    warnings.simplefilter("ignore")
    rows = pd.read_parquet(sys.argv[2])
    link = {"splink": splink_pairs, "recordlinkage": recordlinkage_pairs}[sys.argv[1]]
    started = time.process_time()
    pairs = link(rows.drop(columns="entity"))
    used = time.process_time() - started
    print(json.dumps({**_figures(rows, pairs), "cpu_s": round(used, 1)}))


if __name__ == "__main__":
    main()
