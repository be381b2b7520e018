-- The salary has arrived: a credit whose description says so.
-- limit: 600 alerts a minute
SELECT *
FROM bookings
WHERE credit_debit = 'CRDT'
  AND LOWER(description) SIMILAR TO '%(salary|salaris|gehalt|lohn|mzda)%'
