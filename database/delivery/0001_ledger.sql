-- What became of each alert, and the profiles that senders look at. Times are the database's or a sender's, in UTC.

-- One row per alert id: the claim that makes it one message, its audit trail, and what is to be done about it.
CREATE TABLE deliveries (
  alert_id         text PRIMARY KEY,
  channel          text NOT NULL CHECK (channel IN ('EMAIL', 'SMS', 'PUSH')),
  -- The gateway, or the part of it, that may be down by itself: EMAIL, SMS, FCM, WEB_PUSH:host.
  route            text NOT NULL,
  state            text NOT NULL CHECK (state IN (
    'claimed',      -- a sender hands it over; another one takes it over when due_at has passed
    'held',         -- for the customer's peace, until due_at
    'retry',        -- the gateway could not take it; again at due_at
    'handed over',  -- the gateway has it
    'confirmed',    -- a receipt says that it arrived
    'undelivered',  -- a receipt says that it did not
    'refused',      -- the gateway will never take it, or it could not be written
    'expired',      -- older than senders.longest_held before it could be sent
    'withdrawn'     -- held, and meanwhile without authorization, address or setting
  )),
  alert_type       text NOT NULL,
  -- Personal, and null when erased.
  customer_id      text,
  address          text,
  account_id       text,
  entry_id         text,
  setting_id       text,
  record           bytea,    -- the whole OutboundAlert as it stood on Kafka
  -- Where it stood on Kafka, and since when.
  source_partition integer NOT NULL,
  source_offset    bigint NOT NULL,
  raised_at        timestamptz,
  written_at       timestamptz NOT NULL,
  received_at      timestamptz NOT NULL,
  claimed_at       timestamptz NOT NULL,
  handed_over_at   timestamptz,
  confirmed_at     timestamptz,
  -- When somebody has to look at it again; null: it is done.
  due_at           timestamptz,
  claimed_by       text NOT NULL, -- the process, by its instance name if it has one
  held_for         text CHECK (held_for IN ('snooze', 'quiet', 'digest')),
  digest_id        text,
  attempts         integer NOT NULL,
  reference        text,     -- the gateway's own id of the message
  reason           text,
  steps            jsonb NOT NULL DEFAULT '[]'  -- what else happened: [{"at": ms, "step": ..., "reason": ...}]
) WITH (fillfactor = 75, autovacuum_vacuum_scale_factor = 0.05);

CREATE INDEX deliveries_due ON deliveries (channel, due_at, route) WHERE due_at IS NOT NULL;
-- Ids may be longer than a B-tree can hold.
CREATE INDEX deliveries_customer ON deliveries USING hash (customer_id);
CREATE INDEX deliveries_reference ON deliveries (channel, reference)
  WHERE state = 'handed over' AND reference IS NOT NULL AND channel <> 'EMAIL';
-- Rows lie in the order of their arrival: a few pages of index serve millions of them.
CREATE INDEX deliveries_received ON deliveries USING brin (received_at) WITH (pages_per_range = 32);

-- The newest AlertSettings of each customer, as far as a sender needs it.
CREATE TABLE profiles (
  customer_id text PRIMARY KEY,
  time_zone   text NOT NULL,
  quiet_from  text,
  quiet_to    text,
  digest      text,
  addresses   jsonb NOT NULL,  -- {"EMAIL": ["..."], ...}
  settings    jsonb NOT NULL   -- {"setting_id": {"account_id": ..., "channels": [...], "snoozed_until": ms}}
);

-- The newest AccountAuthorization of each account.
CREATE TABLE account_access (
  account_id   text PRIMARY KEY,
  customer_ids text[] NOT NULL
);

-- Up to where the two are read: the offset of the next record, in the same transaction as what was read.
CREATE TABLE profile_progress (
  topic       text NOT NULL,
  partition   integer NOT NULL,
  next_offset bigint NOT NULL,
  PRIMARY KEY (topic, partition)
);
