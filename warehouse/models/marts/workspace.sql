-- One row: what the figures stand for, so that the views over them can say it too.
-- grain: as_of
-- column: as_of | the run's day
-- column: timezone | zone of its days and months
-- column: currency | currency of every amount that names no other
select $as_of as as_of, $timezone as timezone, $currency as currency
