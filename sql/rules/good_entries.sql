-- The bookings that can raise an alert, with what is needed to decide it.
CREATE TEMPORARY VIEW good_entries AS
SELECT entry_id, account_id, currency, amount_minor, credit_debit, balance_minor, booked_at, rules_time
FROM checked_entries
WHERE reason IS NULL
