"""Files of the inbox become rows of raw: read in a limited child process, kept by content, conserved row by row."""

from abmloop.run import Run, StepCounts


def land(run: Run) -> StepCounts:
    """Bring what is new in the inbox into the raw store and the warehouse's raw zone, each content once.

    A file that is refused stands in `ops.files` with its reason, a row that is refused in `quality.quarantine`; the
    others go on. An empty warehouse is filled from the raw store with what was landed until `run.as_of`.
    """
    # Imported here because the process that reads untrusted files imports this package and must stay small.
    from scoring.policies.sources import SourcesPolicy
    from tasks.land.collisions import colliding_files
    from tasks.land.landing import land_inbox, tell_landing
    from tasks.land.loading import load
    from tasks.land.plans import check_policy
    from tasks.land.store import RawStore
    from tasks.policies import load_policy
    from warehouse.steps import step

    policy = load_policy(run, SourcesPolicy)
    check_policy(policy)
    store = RawStore(run.root)
    landing = land_inbox(run, policy, store)
    with step(run, "land") as work:
        loaded = load(work, store, landing.manifests)
        work.count(
            files_seen=landing.seen,
            files_read=landing.read,
            files_loaded=loaded.files - loaded.refused,
            files_refused=loaded.refused,
            files_same_content=len(landing.duplicates),
            files_not_ready=len(landing.not_ready),
            files_links=len(landing.links),
            files_removed=loaded.removed,
            rows_in=loaded.rows_in,
            rows_out=loaded.rows_loaded,
            quarantined=loaded.rows_quarantined,
            skipped=loaded.rows_skipped,
        )
        colliding = colliding_files(work, run.language) if loaded.files else []
    tell_landing(landing, colliding, run.language)
    return work.counts
