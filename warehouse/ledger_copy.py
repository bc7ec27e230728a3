"""A ledger table's copy in the warehouse, so that SQL can join it and a day reads only what was added."""

from warehouse.steps import Work


def copy_ledger(work: Work, table: str) -> str:
    """Bring the copy up to what the run may see of the ledger's table; gives its name, `ops.ledger_<table>`.

    It holds the rows up to the run's `ledger_head` and the run's own; those recorded on days after the run's are in it
    too, so who reads it asks for `recorded_as_of <= $as_of`. A copy of another ledger, or of one that was since put
    back to an earlier state, is thrown away and read anew.
    """
    copy = f"ops.ledger_{table}"
    known = work.execute("select entry from ops.ledger_copies where table_name = ?", [table]).fetchall()
    since = known[0][0] if known else 0
    newest = work.execute(f"select seq, run_id, recorded_at from {copy} order by seq desc limit 1").fetchall()
    if since > work.run.ledger_head or (newest and not work.ledger.holds(table, *newest[0])):
        work.execute(f"delete from {copy}")
        since = 0
    # An entry is a transaction: it is here whole, or not at all. Those of the last run stand beyond its ledger_head.
    held = work.execute(f"select distinct entry from {copy} where entry > ?", [since]).fetchall()
    for rows in work.ledger.batches(table, work.run, since, but=[entry for (entry,) in held]):
        work.con.register("ledger_rows", rows)
        work.execute(f"insert into {copy} by name select * from ledger_rows")
        work.con.unregister("ledger_rows")
    work.execute("delete from ops.ledger_copies where table_name = ?", [table])
    work.execute("insert into ops.ledger_copies values (?, ?)", [table, work.run.ledger_head])
    return copy
