-- Whom a match is for: those who may see the account, or of them the one whom the rule names.
CREATE TEMPORARY VIEW recipients AS
SELECT
  m.rule, m.entry_id, c.customer_id, m.account_id, m.currency, m.amount_minor, m.balance_minor, m.threshold_minor,
  m.booked_at, m.written_at, m.channels, m.per_minute, m.found_at, m.rules_time
FROM authorized_matches AS m
CROSS JOIN UNNEST(ARRAY_DISTINCT(m.customer_ids)) AS c (customer_id)
WHERE m.named_customer IN ('', c.customer_id)
