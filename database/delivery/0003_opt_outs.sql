-- Who wants no more SMS (STOP), by number, and the answers to STOP, START and HELP.
--
-- A number is E.164 without +. Times are the database's. The rows are new: senders of the version before go on
-- without looking at them, so start those of this version before customers are told that they may send STOP.

CREATE TABLE sms_opt_outs (
  number      text PRIMARY KEY,
  stopped     boolean NOT NULL,         -- false: START took it back
  changed_at  timestamptz(3) NOT NULL,
  -- Received by SMS, and not come back from the bank's database yet: until then no older row of the bank's counts.
  pending     boolean NOT NULL,
  recorded_at timestamptz               -- when the bank's database had it; null: not yet
);
CREATE INDEX sms_opt_outs_unrecorded ON sms_opt_outs (changed_at) WHERE pending AND recorded_at IS NULL;

-- The answers: one for each change, and for each HELP.
CREATE TABLE sms_replies (
  reply_id   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  number     text NOT NULL,
  keyword    text NOT NULL CHECK (keyword IN ('STOP', 'START', 'HELP')),
  language   text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  due_at     timestamptz DEFAULT now(), -- when it is sent, or sent again; null: it is done
  attempts   integer NOT NULL DEFAULT 0,
  sent_at    timestamptz,
  reason     text                       -- why it was not sent
);
CREATE INDEX sms_replies_due ON sms_replies (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX sms_replies_number ON sms_replies (number, created_at);
CREATE INDEX sms_replies_created ON sms_replies (created_at);

-- Parts of long SMS from customers, until all are there; they may come to different senders.
CREATE TABLE sms_parts (
  number      text NOT NULL,
  recipient   text NOT NULL,
  reference   integer NOT NULL,
  total       integer NOT NULL,
  part        integer NOT NULL,
  coding      integer NOT NULL,
  body        bytea NOT NULL,
  received_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (number, recipient, reference, total, part)
);
CREATE INDEX sms_parts_received ON sms_parts (received_at);
