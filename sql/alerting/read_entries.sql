-- Of a booking, what decides, and what its dead letter would say. What is left out here is not copied for each booking.
CREATE TEMPORARY VIEW read_entries AS
SELECT
  entry_id, account_id, currency, amount_minor, credit_debit, balance_minor, booked_at, entry_type, rules_time, entry_key,
  record, source_partition, source_offset, reason
FROM checked_entries
