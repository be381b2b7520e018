-- The bookings that can raise an alert, with their amount signed: a credit adds to the balance, a debit takes from it.
CREATE TEMPORARY VIEW good_entries AS
SELECT
  entry_id, account_id, currency, amount_minor, balance_minor, booked_at, credit_debit, rules_time,
  CAST(CASE credit_debit WHEN 'CRDT' THEN amount_minor ELSE -amount_minor END AS DECIMAL(20, 0)) AS signed_minor
FROM checked_entries
WHERE reason IS NULL
