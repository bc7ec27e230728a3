"""Every benchmark that needs nothing but the repository: `make bench`."""

import subprocess
import sys

SCRIPTS = (
    "benchmarks.sync_bench",
    "benchmarks.attribution_bench",
    "benchmarks.values_bench",
    "benchmarks.dirty_million",
)

for script in SCRIPTS:
    print(f"== python -m {script}", flush=True)
    subprocess.run([sys.executable, "-m", script], check=True)
