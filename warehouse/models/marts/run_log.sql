-- One row per step of each run that this warehouse has seen: what it counted and how long it took.
-- column: run_id | the run
-- column: step | the step
-- column: as_of | the run's day
-- column: started_at | machine clock, UTC
-- column: seconds | wall time
-- column: cpu_seconds | processor time of our process
-- column: peak_memory_mb | highest resident memory of the process so far
-- column: counts | JSON, what the step counted
-- column: config_hash | the rules it ran under; their text is in the ledger
-- grain: run_id, step, started_at
select run_id, step, as_of, started_at, seconds, cpu_seconds, peak_memory_mb, counts, config_hash
from ops.steps
