-- The bookings that can raise an alert, with what is needed to decide it. Card bookings can be counted.
CREATE TEMPORARY VIEW usable_entries AS
SELECT
  entry_id, account_id, currency, amount_minor, credit_debit = 'CRDT' AS is_credit, balance_minor, booked_at,
  entry_type = 'CARD' AS countable, rules_time
FROM entries
WHERE reason IS NULL
