-- One row per dimension and member whose key is no name: what it is called, in the workspace's language.
-- grain: dimension, member
-- column: dimension | industry, campaign or parent_campaign
-- column: member | its key in the marts: section of GB/T 4754, campaign
-- column: name | its name
select 'industry' as dimension, section as member, name from rules.industries
union all
select dimension, campaign_id, name
from core.campaigns
cross join (values ('campaign'), ('parent_campaign')) as dimensions(dimension)
where name <> campaign_id
