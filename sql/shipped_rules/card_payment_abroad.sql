-- A card payment outside the Czech Republic of more than 5,000.00 crowns.
-- limit: 300 alerts a minute
SELECT *, 500000 AS threshold_minor
FROM bookings
WHERE entry_type = 'CARD' AND credit_debit = 'DBIT'
  AND country <> 'CZ'
  AND currency = 'CZK' AND amount_minor > 500000
