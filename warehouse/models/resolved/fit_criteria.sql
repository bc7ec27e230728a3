-- One row per criterion of the ideal customer profile, as it was when the accounts were graded.
-- grain: criterion_id
-- column: criterion_id | the criterion
-- column: position | place in the file
-- column: criterion_group | its group
-- column: group_cap | points the group gives at most
-- column: points | points it gives
-- column: test | what must hold
-- column: why | the reason given
select criterion_id, position, criterion_group, group_cap, points, test, why from rules.icp
