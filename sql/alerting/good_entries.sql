-- The bookings that can raise an alert, with what is needed to decide it.
CREATE TEMPORARY VIEW good_entries AS
SELECT entry_id, account_id, currency, amount_minor, credit_debit, balance_minor, booked_at, entry_type, rules_time
FROM checked_entries
WHERE reason IS NULL
-- No row ever, but the clock's watermark: it lets each booking go as soon as the rules of its time are complete.
UNION ALL
SELECT '', '', '', CAST(0 AS BIGINT), '', CAST(0 AS BIGINT), now, '', rules_time
FROM clock
WHERE now < TO_TIMESTAMP_LTZ(0, 3)
