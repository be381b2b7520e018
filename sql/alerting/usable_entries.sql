-- The bookings that can raise an alert, with what is needed to decide it, and what its message says. Card bookings can be counted.
CREATE TEMPORARY VIEW usable_entries AS
SELECT
  entry_id, account_id, currency, amount_minor, credit_debit = 'CRDT' AS is_credit, balance_minor, booked_at,
  entry_type, entry_type = 'CARD' AS countable, merchant_name, merchant_category, country, counterparty, description,
  counterparty_name, card_last_four, original_currency, original_amount_minor, reversal, rules_time
FROM entries
WHERE reason IS NULL
