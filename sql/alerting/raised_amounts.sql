-- When an alert about an amount is raised. A booking meets the rules of its account that held at its rules_time, in its
-- currency. The amounts are compared first: they rule most out, and cost the least.
CREATE TEMPORARY VIEW raised_amounts AS
SELECT
  e.entry_id, e.account_id, e.currency, e.amount_minor, e.balance_minor, e.booked_at,
  r.customer_id, r.setting_id, r.alert_type, r.threshold_minor, r.`count`, r.window_minutes, r.`language`,
  r.channels, r.address_channels, r.addresses
FROM entries_with_rules AS e
CROSS JOIN UNNEST(e.rules) AS r
WHERE (
    -- The booking took the balance over the threshold: only a credit can, and without it the balance was not over.
    (e.balance_minor > r.threshold_minor AND r.alert_type = 'BALANCE_ABOVE' AND e.credit_debit = 'CRDT'
      AND CAST(e.balance_minor AS DECIMAL(20, 0)) - e.amount_minor <= r.threshold_minor)
    -- The booking took the balance under the threshold: only a debit can, and without it the balance was not under.
    OR (e.balance_minor < r.threshold_minor AND r.alert_type = 'BALANCE_BELOW' AND e.credit_debit = 'DBIT'
      AND CAST(e.balance_minor AS DECIMAL(20, 0)) + e.amount_minor >= r.threshold_minor)
    OR (e.amount_minor > r.threshold_minor AND r.alert_type = 'CREDITED_ABOVE' AND e.credit_debit = 'CRDT')
    OR (e.amount_minor > r.threshold_minor AND r.alert_type = 'DEBITED_ABOVE' AND e.credit_debit = 'DBIT')
  )
  AND r.currency = e.currency
  AND r.valid_from <= e.rules_time
  AND (r.valid_to IS NULL OR e.rules_time < r.valid_to)
