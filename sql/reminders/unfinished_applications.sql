-- Which applications a customer is reminded of: begun, and not finished within
-- ${reminder_after} (days, and hours:minutes:seconds). Once each,
-- from its first beginning on; rowtime is when an event came to Kafka. One that was finished before (events overtake each
-- other) is finished.
CREATE TEMPORARY VIEW unfinished_applications AS
WITH begun AS (
  SELECT customer_id, application_id, COALESCE(product, '') AS product, occurred_at, rowtime
  FROM (
    SELECT *, ROW_NUMBER() OVER (PARTITION BY customer_id, application_id ORDER BY rowtime) AS nth
    FROM clicks
    WHERE reason IS NULL AND event_type = 'APPLICATION_BEGUN'
  )
  WHERE nth = 1
),
finished AS (
  SELECT customer_id, application_id, rowtime
  FROM clicks
  WHERE reason IS NULL AND event_type = 'APPLICATION_FINISHED'
)
SELECT
  begun.customer_id, begun.application_id, begun.product, begun.occurred_at,
  begun.rowtime + INTERVAL '${reminder_after}' DAY TO SECOND AS due_at
FROM begun
LEFT JOIN finished
  ON finished.customer_id = begun.customer_id AND finished.application_id = begun.application_id
  AND finished.rowtime BETWEEN begun.rowtime - INTERVAL '${reminder_after}' DAY TO SECOND
                           AND begun.rowtime + INTERVAL '${reminder_after}' DAY TO SECOND
WHERE finished.application_id IS NULL
