-- One row per value of a raw row that is mended, emptied, flagged or takes its row along, with the rule that says so.
-- grain: entity, row_hash, column_name, rule
-- column: entity | the row's entity
-- column: row_hash | the row's hash in raw; rows that are alike share it
-- column: column_name | the column
-- column: value | as received
-- column: repaired | what it became; null where it was emptied
-- column: rule | the rule
-- column: action | repair, null_value or flag
-- column: is_rejecting | the entity cannot live without this value
-- column: is_key | it is one of the columns of which a row needs at least one
-- column: keys_given | how many of those the row has
with faulty_value as (
    select 'companies' as entity, row_hash, keys_given, column_name, value
    from (
        unpivot (
            select row_hash, (name is not null)::int + (name_en is not null)::int + (uscc is not null)::int as keys_given,
                   source_id, name, uscc, registration_no, organisation_code, crm_account_id, name_en, former_names, short_name,
                   status, legal_representative, registered_capital, founded_on, country, address, industry, company_type, employees,
                   revenue, phone, more_phones, email, more_emails, website, scope, parent, tags
            from raw.companies
        ) on columns(* exclude (row_hash, keys_given)) into name column_name value value
    )
    where value in (select value from staging.parsed_faults)
    union all
    select 'contacts' as entity, row_hash, keys_given, column_name, value
    from (
        unpivot (
            select row_hash, (contact_id is not null)::int + (lead_id is not null)::int + (email is not null)::int + (mobile is not null)::int + (phone is not null)::int
               + (wechat_unionid is not null)::int + (wechat_openid is not null)::int as keys_given,
                   contact_id, lead_id, name, first_name, last_name, company_name, uscc, crm_account_id, title,
                   department, email, mobile, phone, wechat_unionid, wechat_openid, country, website, created_at,
                   lead_source
            from raw.contacts
        ) on columns(* exclude (row_hash, keys_given)) into name column_name value value
    )
    where value in (select value from staging.parsed_faults)
    union all
    select 'campaigns' as entity, row_hash, keys_given, column_name, value
    from (
        unpivot (
            select row_hash, 0 as keys_given,
                   campaign_id, name, channel, parent_campaign_id, starts_on, ends_on, budget, cost, currency,
                   status
            from raw.campaigns
        ) on columns(* exclude (row_hash, keys_given)) into name column_name value value
    )
    where value in (select value from staging.parsed_faults)
    union all
    select 'costs' as entity, row_hash, keys_given, column_name, value
    from (
        unpivot (
            select row_hash, (campaign_id is not null)::int + (deal_id is not null)::int as keys_given,
                   cost_id, campaign_id, deal_id, spent_on, amount, currency, kind
            from raw.costs
        ) on columns(* exclude (row_hash, keys_given)) into name column_name value value
    )
    where value in (select value from staging.parsed_faults)
    union all
    select 'touches' as entity, row_hash, keys_given, column_name, value
    from (
        unpivot (
            select row_hash, (contact_id is not null)::int + (lead_id is not null)::int + (email is not null)::int + (mobile is not null)::int + (phone is not null)::int
               + (wechat_unionid is not null)::int + (wechat_openid is not null)::int as keys_given,
                   touch_id, campaign_id, channel, contact_id, lead_id, name, company_name, title, email,
                   mobile, phone, wechat_unionid, wechat_openid, type, occurred_at, content, minutes
            from raw.touches
        ) on columns(* exclude (row_hash, keys_given)) into name column_name value value
    )
    where value in (select value from staging.parsed_faults)
    union all
    select 'consents' as entity, row_hash, keys_given, column_name, value
    from (
        unpivot (
            select row_hash, (contact_id is not null)::int + (lead_id is not null)::int + (email is not null)::int + (mobile is not null)::int + (phone is not null)::int
               + (wechat_unionid is not null)::int + (wechat_openid is not null)::int as keys_given,
                   contact_id, lead_id, email, mobile, phone, wechat_unionid, wechat_openid, channel, status,
                   given_at, evidence
            from raw.consents
        ) on columns(* exclude (row_hash, keys_given)) into name column_name value value
    )
    where value in (select value from staging.parsed_faults)
    union all
    select 'owners' as entity, row_hash, keys_given, column_name, value
    from (
        unpivot (
            select row_hash, 0 as keys_given,
                   owner_id, name, email, team, provinces, industries, sizes, products, languages,
                   skills, daily_capacity, holding_limit, active, away_until, manager_id
            from raw.owners
        ) on columns(* exclude (row_hash, keys_given)) into name column_name value value
    )
    where value in (select value from staging.parsed_faults)
    union all
    select 'deals' as entity, row_hash, keys_given, column_name, value
    from (
        unpivot (
            select row_hash, 0 as keys_given,
                   deal_id, account_name, uscc, crm_account_id, contact_id, lead_id, email, mobile, name,
                   stage, amount, currency, created_at, closed_at, lead_created_at, owner_id, type, probability,
                   is_deleted
            from raw.deals
        ) on columns(* exclude (row_hash, keys_given)) into name column_name value value
    )
    where value in (select value from staging.parsed_faults)
    union all
    select 'deal_stages' as entity, row_hash, keys_given, column_name, value
    from (
        unpivot (
            select row_hash, 0 as keys_given,
                   deal_id, stage, entered_at
            from raw.deal_stages
        ) on columns(* exclude (row_hash, keys_given)) into name column_name value value
    )
    where value in (select value from staging.parsed_faults)
    union all
    select 'deal_contacts' as entity, row_hash, keys_given, column_name, value
    from (
        unpivot (
            select row_hash, (contact_id is not null)::int + (lead_id is not null)::int + (email is not null)::int + (mobile is not null)::int + (phone is not null)::int
               + (wechat_unionid is not null)::int + (wechat_openid is not null)::int as keys_given,
                   deal_id, contact_id, lead_id, email, mobile, phone, wechat_unionid, wechat_openid, role,
                   is_primary, is_deleted, role_id
            from raw.deal_contacts
        ) on columns(* exclude (row_hash, keys_given)) into name column_name value value
    )
    where value in (select value from staging.parsed_faults)
    union all
    select 'deal_splits' as entity, row_hash, keys_given, column_name, value
    from (
        unpivot (
            select row_hash, (crm_account_id is not null)::int + (uscc is not null)::int + (account_name is not null)::int + (owner_id is not null)::int as keys_given,
                   deal_id, crm_account_id, uscc, account_name, owner_id, share
            from raw.deal_splits
        ) on columns(* exclude (row_hash, keys_given)) into name column_name value value
    )
    where value in (select value from staging.parsed_faults)
    union all
    select 'merges' as entity, row_hash, keys_given, column_name, value
    from (
        unpivot (
            select row_hash, 0 as keys_given,
                   object, old_id, new_id, old_key, new_key, merged_at
            from raw.merges
        ) on columns(* exclude (row_hash, keys_given)) into name column_name value value
    )
    where value in (select value from staging.parsed_faults)
    union all
    select 'orders' as entity, row_hash, keys_given, column_name, value
    from (
        unpivot (
            select row_hash, 0 as keys_given,
                   order_id, deal_id, signed_on, amount, currency, term_starts_on, term_ends_on, is_deleted
            from raw.orders
        ) on columns(* exclude (row_hash, keys_given)) into name column_name value value
    )
    where value in (select value from staging.parsed_faults)
    union all
    select 'invoices' as entity, row_hash, keys_given, column_name, value
    from (
        unpivot (
            select row_hash, 0 as keys_given,
                   invoice_id, order_id, issued_on, amount, currency, is_deleted
            from raw.invoices
        ) on columns(* exclude (row_hash, keys_given)) into name column_name value value
    )
    where value in (select value from staging.parsed_faults)
    union all
    select 'payments' as entity, row_hash, keys_given, column_name, value
    from (
        unpivot (
            select row_hash, 0 as keys_given,
                   payment_id, order_id, deal_id, paid_on, amount, currency, is_deleted
            from raw.payments
        ) on columns(* exclude (row_hash, keys_given)) into name column_name value value
    )
    where value in (select value from staging.parsed_faults)
    union all
    select 'fx_rates' as entity, row_hash, keys_given, column_name, value
    from (
        unpivot (
            select row_hash, 0 as keys_given,
                   currency, valid_on, rate
            from raw.fx_rates
        ) on columns(* exclude (row_hash, keys_given)) into name column_name value value
    )
    where value in (select value from staging.parsed_faults)
    union all
    select 'activities' as entity, row_hash, keys_given, column_name, value
    from (
        unpivot (
            select row_hash, 0 as keys_given,
                   activity_id, owner_id, contact_id, lead_id, email, mobile, phone, wechat_unionid, wechat_openid,
                   company_name, uscc, crm_account_id, deal_id, type, occurred_at, content
            from raw.activities
        ) on columns(* exclude (row_hash, keys_given)) into name column_name value value
    )
    where value in (select value from staging.parsed_faults)
    union all
    select 'lead_status' as entity, row_hash, keys_given, column_name, value
    from (
        unpivot (
            select row_hash, (lead_id is not null)::int + (contact_id is not null)::int + (email is not null)::int + (mobile is not null)::int + (phone is not null)::int
               + (wechat_unionid is not null)::int + (wechat_openid is not null)::int as keys_given,
                   lead_id, contact_id, email, mobile, phone, wechat_unionid, wechat_openid, status, reason,
                   owner_id, changed_at
            from raw.lead_status
        ) on columns(* exclude (row_hash, keys_given)) into name column_name value value
    )
    where value in (select value from staging.parsed_faults)
    union all
    select 'qualifications' as entity, row_hash, keys_given, column_name, value
    from (
        unpivot (
            select row_hash, (contact_id is not null)::int + (lead_id is not null)::int + (email is not null)::int + (mobile is not null)::int + (phone is not null)::int
               + (wechat_unionid is not null)::int + (wechat_openid is not null)::int as keys_given,
                   contact_id, lead_id, email, mobile, phone, wechat_unionid, wechat_openid, question, answer,
                   answered_at
            from raw.qualifications
        ) on columns(* exclude (row_hash, keys_given)) into name column_name value value
    )
    where value in (select value from staging.parsed_faults)
    union all
    select 'lists' as entity, row_hash, keys_given, column_name, value
    from (
        unpivot (
            select row_hash, (company_name is not null)::int + (uscc is not null)::int + (crm_account_id is not null)::int + (website is not null)::int + (contact_id is not null)::int + (lead_id is not null)::int + (email is not null)::int + (mobile is not null)::int + (phone is not null)::int
               + (wechat_unionid is not null)::int + (wechat_openid is not null)::int as keys_given,
                   list, company_name, uscc, crm_account_id, website, contact_id, lead_id, email, mobile,
                   phone, wechat_unionid, wechat_openid, tier, reason, owner_id, valid_from, valid_to
            from raw.lists
        ) on columns(* exclude (row_hash, keys_given)) into name column_name value value
    )
    where value in (select value from staging.parsed_faults)
    union all
    select 'events' as entity, row_hash, keys_given, column_name, value
    from (
        unpivot (
            select row_hash, (distinct_id is not null)::int + (login_id is not null)::int + (anonymous_id is not null)::int + (user_id is not null)::int
               + (email is not null)::int + (mobile is not null)::int + (wechat_unionid is not null)::int + (wechat_openid is not null)::int
               + 1 as keys_given,
                   email, mobile, wechat_unionid, wechat_openid, company_name
            from raw.events
        ) on columns(* exclude (row_hash, keys_given)) into name column_name value value
    )
    where value in (select value from staging.parsed_faults)
),
by_value as (
    select faulty_value.entity, faulty_value.row_hash, faulty_value.column_name, faulty_value.value, fault.repaired, fault.rule,
           action.action, entity_column.is_rejecting, entity_column.is_key, faulty_value.keys_given
    from faulty_value
    join rules.value_columns as entity_column using (entity, column_name)
    join staging.parsed_faults as fault on fault.kind = entity_column.kind and fault.value = faulty_value.value
    join rules.value_actions as action on action.rule = fault.rule and action.kind = fault.kind
),
by_place as (
    select 'companies' as entity, row_hash, 'province' as column_name,
           concat_ws('|', coalesce(province, ''), coalesce(city, ''), coalesce(district, '')) as value
    from raw.companies
    where coalesce(province, city, district) is not null
    union all
    select 'contacts', row_hash, 'province', concat_ws('|', coalesce(province, ''), coalesce(city, ''), '')
    from raw.contacts
    where coalesce(province, city) is not null
),
by_comparison as (
    select 'companies' as entity, companies.row_hash, 'founded_on' as column_name, companies.founded_on as value,
           'date-founded-in-future' as rule
    from raw.companies
    join staging.parsed_times as founded on founded.value = companies.founded_on
    where founded.day > $as_of
    union all
    select 'touches', touches.row_hash, 'occurred_at', touches.occurred_at, 'date-in-future'
    from raw.touches
    join staging.parsed_times as occurred on occurred.value = touches.occurred_at
    where occurred.day > $as_of
    union all
    select 'activities', activities.row_hash, 'occurred_at', activities.occurred_at, 'date-in-future'
    from raw.activities
    join staging.parsed_times as occurred on occurred.value = activities.occurred_at
    where occurred.day > $as_of
    union all
    select 'payments', payments.row_hash, 'paid_on', payments.paid_on, 'date-in-future'
    from raw.payments
    join staging.parsed_times as paid on paid.value = payments.paid_on
    where paid.day > $as_of
    union all
    select 'deals', deals.row_hash, 'closed_at', deals.closed_at, 'date-closed-before-created'
    from raw.deals
    join staging.parsed_times as created on created.value = deals.created_at
    join staging.parsed_times as closed on closed.value = deals.closed_at
    where closed.day < created.day
    union all
    -- A row with company and sales person of which only one side's shares come to 100 %: the other side is not taken.
    select 'deal_splits', row_hash, 'share', any_value(given),
           case axis when 'owner' then 'share-sum-owners' else 'share-sum-companies' end
    from staging.split_tellings
    group by axis, row_hash
    having not bool_or(is_whole) and row_hash in (select row_hash from staging.split_tellings where is_whole)
)
select distinct * from by_value
union all
select distinct 'events' as entity, row_hash, 'occurred_at' as column_name, raw.events.occurred_at, null,
       'date-unreadable' as rule, 'null_value' as action, true, false, 0
from raw.events
join staging.event_times on place = raw.events.rowid
where is_refused
union all
select distinct entity, row_hash, column_name, by_place.value, null, place.rule, action.action, false, false, 0
from by_place
join staging.parsed_places as place on place.value = by_place.value
join rules.value_actions as action on action.rule = place.rule and action.kind = 'place'
union all
select distinct entity, row_hash, column_name, value, null, rule, action.action, false, false, 0
from by_comparison
join rules.value_actions as action using (rule)
where action.kind = 'row'
