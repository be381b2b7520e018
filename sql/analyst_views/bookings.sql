-- The bookings that can be used (shared/checked_entries.sql says which). written_at is the Kafka time, and the event time
-- of windows; arrived_at orders them as they came.
CREATE TEMPORARY VIEW bookings AS
SELECT
  entry_id, account_id, currency, amount_minor, credit_debit, balance_minor, booked_at, entry_type, merchant_id,
  merchant_name, merchant_category, country, counterparty, description, counterparty_name, card_last_four,
  original_currency, original_amount_minor, reversal, written_at, arrived_at
FROM checked_entries
WHERE reason IS NULL
