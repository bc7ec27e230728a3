-- One row: the day for which scores are told, so that a view can use it without a parameter.
-- grain: as_of
-- column: as_of | the run's day in the workspace's time zone
select $as_of::date as as_of
