-- Of a booking, what decides, what a message says of it, and what its dead letter would say.
CREATE TEMPORARY VIEW read_entries AS
SELECT
  entry_id, account_id, currency, amount_minor, credit_debit, balance_minor, booked_at, entry_type, merchant_name,
  merchant_category, country, counterparty, description, counterparty_name, card_last_four, original_currency,
  original_amount_minor, reversal, rules_time, entry_key, record, source_partition, source_offset, reason
FROM checked_entries
