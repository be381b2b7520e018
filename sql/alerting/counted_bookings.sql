-- The card bookings of accounts that have a rule of type TRANSACTION_COUNT in their currency. credit_debit is there so
-- that both readers of entries_with_rules want the same columns: or else Flink plans the join twice.
CREATE TEMPORARY VIEW counted_bookings AS
SELECT
  account_id, currency, entry_id, amount_minor, credit_debit, balance_minor, booked_at,
  CAST(rules_time AS TIMESTAMP_LTZ(3)) AS rules_time, rules
FROM entries_with_rules
WHERE entry_type = 'CARD' AND ARRAY_CONTAINS(counted, currency)
