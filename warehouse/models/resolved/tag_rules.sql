-- One row per tag rule, as it was when the accounts were tagged.
-- grain: rule_id
-- column: rule_id | the rule
-- column: position | place in the file; in an exclusive group the first rule that holds wins
-- column: tag_id | the tag it gives
-- column: tag_group | the tag's group
-- column: is_exclusive | whether an account has one tag of the group at most
-- column: test | what must hold
-- column: why | the reason given
select rule_id, position, tag_id, tag_group, is_exclusive, test, why from rules.tags
