-- The states and columns get the standard names (account_alerts/model/alerts.py, DeliveryState).
--
-- Stop the senders before, and start those of this version after: lease_owner was claimed_by, so that
-- statements of the other version fail and their process waits for a restart, instead of taking an alert
-- for one that the ledger cannot hold.
--
-- The table is rewritten once, with its indexes, in the order it lies in; no row is updated, so nothing is left
-- to vacuum. Ten million rows take minutes, during which alerts wait on Kafka.

ALTER TABLE deliveries RENAME COLUMN claimed_by TO lease_owner;
ALTER TABLE deliveries RENAME COLUMN held_for TO deferred_for;
ALTER TABLE deliveries RENAME COLUMN handed_over_at TO sent_at;
ALTER TABLE deliveries RENAME COLUMN confirmed_at TO delivered_at;

CREATE FUNCTION pg_temp.state_0002(old text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE old
    WHEN 'claimed' THEN 'CLAIMED'
    WHEN 'held' THEN 'DEFERRED'
    WHEN 'retry' THEN 'RETRYING'
    WHEN 'handed over' THEN 'SENT'
    WHEN 'confirmed' THEN 'DELIVERED'
    WHEN 'undelivered' THEN 'UNDELIVERED'
    WHEN 'refused' THEN 'REJECTED'
    WHEN 'expired' THEN 'EXPIRED'
    WHEN 'withdrawn' THEN 'CANCELLED'
    ELSE old
  END
$$;

CREATE FUNCTION pg_temp.steps_0002(old jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
  SELECT jsonb_agg(step || jsonb_build_object('step', pg_temp.state_0002(step ->> 'step')) ORDER BY number)
  FROM jsonb_array_elements(old) WITH ORDINALITY AS steps (step, number)
$$;

DROP INDEX deliveries_reference;
ALTER TABLE deliveries
  DROP CONSTRAINT deliveries_state_check,
  ALTER COLUMN state TYPE text USING pg_temp.state_0002(state),
  ALTER COLUMN steps TYPE jsonb USING CASE WHEN steps = '[]' THEN steps ELSE pg_temp.steps_0002(steps) END,
  ADD CONSTRAINT deliveries_state_check CHECK (state IN (
    'CLAIMED',      -- a sender is sending it; another one takes it over when due_at has passed
    'DEFERRED',     -- for quiet hours, a snooze or a digest, until due_at
    'RETRYING',     -- the gateway could not take it; again at due_at
    'SENT',         -- the gateway has it
    'DELIVERED',    -- a receipt says that it arrived
    'UNDELIVERED',  -- a receipt says that it did not
    'REJECTED',     -- the gateway will never take it, or it could not be rendered
    'EXPIRED',      -- older than senders.max_deferral before it could be sent
    'CANCELLED'     -- deferred, and meanwhile without authorization, address or setting
  ));
ALTER TABLE deliveries RENAME CONSTRAINT deliveries_held_for_check TO deliveries_deferred_for_check;
CREATE INDEX deliveries_reference ON deliveries (channel, reference)
  WHERE state = 'SENT' AND reference IS NOT NULL AND channel <> 'EMAIL';

ANALYZE deliveries;
