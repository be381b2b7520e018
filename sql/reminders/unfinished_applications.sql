-- Which applications a customer is reminded of: begun, and not finished within
-- ${reminder_after} (days, and hours:minutes:seconds). Once each,
-- from its first beginning on, by when events came to Kafka. One that was finished before (events overtake each other) is
-- finished. rules_time is the time whose settings count.
CREATE TEMPORARY VIEW unfinished_applications AS
WITH begun AS (
  SELECT customer_id, application_id, COALESCE(product, '') AS product, occurred_at, written_at
  FROM (
    SELECT *, ROW_NUMBER() OVER (PARTITION BY customer_id, application_id ORDER BY written_at) AS nth
    FROM clicks
    WHERE reason IS NULL AND event_type = 'APPLICATION_BEGUN'
  )
  WHERE nth = 1
),
finished AS (
  SELECT customer_id, application_id, written_at
  FROM clicks
  WHERE reason IS NULL AND event_type = 'APPLICATION_FINISHED'
)
SELECT
  begun.customer_id, begun.application_id, begun.product, begun.occurred_at,
  begun.written_at + INTERVAL '${reminder_after}' DAY TO SECOND
    - INTERVAL '${effect_delay}' SECOND AS rules_time
FROM begun
LEFT JOIN finished
  ON finished.customer_id = begun.customer_id AND finished.application_id = begun.application_id
  AND finished.written_at BETWEEN begun.written_at - INTERVAL '${reminder_after}' DAY TO SECOND
                           AND begun.written_at + INTERVAL '${reminder_after}' DAY TO SECOND
WHERE finished.application_id IS NULL
