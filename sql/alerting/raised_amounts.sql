-- When an alert about an amount is raised. A candidate is a booking beside a setting of its account and currency that held
-- at its rules_time; the setting has the threshold of its type, and null for any other. Nothing but numbers is compared:
-- a text would be copied for each candidate.
CREATE TEMPORARY VIEW raised_amounts AS
SELECT
  entry_id, account_id, currency, amount_minor, balance_minor, booked_at, customer_id, setting_id,
  CASE
    WHEN balance_above IS NOT NULL THEN 'BALANCE_ABOVE'
    WHEN balance_below IS NOT NULL THEN 'BALANCE_BELOW'
    WHEN credited_above IS NOT NULL THEN 'CREDITED_ABOVE'
    ELSE 'DEBITED_ABOVE'
  END AS alert_type,
  COALESCE(balance_above, balance_below, credited_above, debited_above) AS threshold_minor,
  CAST(NULL AS INT) AS `count`, CAST(NULL AS INT) AS window_minutes, `language`, channels, address_channels, addresses
FROM candidates
WHERE
  -- The booking took the balance over the threshold: only a credit can, and without it the balance was not over. Where
  -- that was less than 64 bits hold, the difference wraps around and is larger than the balance.
  (is_credit AND balance_minor > balance_above
    AND (balance_minor - amount_minor <= balance_above OR balance_minor - amount_minor > balance_minor))
  -- The booking took the balance under the threshold: only a debit can, and without it the balance was not under.
  OR (NOT is_credit AND balance_minor < balance_below
    AND (balance_minor + amount_minor >= balance_below OR balance_minor + amount_minor < balance_minor))
  OR (is_credit AND amount_minor > credited_above)
  OR (NOT is_credit AND amount_minor > debited_above)
