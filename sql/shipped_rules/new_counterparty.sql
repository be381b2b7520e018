-- The first booking from a new counterparty, if it is more than 10,000.00 crowns.
-- limit: 60 alerts a minute
-- history: 7d
SELECT *, 1000000 AS threshold_minor
FROM (
  SELECT *, ROW_NUMBER() OVER (PARTITION BY account_id, COALESCE(counterparty, counterparty_name) ORDER BY arrived_at) AS nth
  FROM bookings
  WHERE credit_debit = 'CRDT' AND COALESCE(counterparty, counterparty_name) IS NOT NULL
)
WHERE nth = 1 AND currency = 'CZK' AND amount_minor > 1000000
