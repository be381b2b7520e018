-- The customer's inbox: what they have read or deleted of the messages that the ledger holds.
--
-- A message is all deliveries about the same event, whatever their channel. The rows are new: what was there before
-- counts as unread. The index is made while senders wait: a minute for each ten million rows.

-- Ids may be longer than a B-tree can hold.
CREATE INDEX deliveries_inbox ON deliveries (hashtextextended(customer_id, 0), received_at, alert_id)
  WHERE customer_id IS NOT NULL;

CREATE TABLE inboxes (
  customer_id  text PRIMARY KEY,
  read_up_to   timestamptz NOT NULL  -- whatever came before is read, unless its mark says otherwise
);

CREATE TABLE message_marks (
  customer_id text NOT NULL,
  message_key text NOT NULL,
  mark        text NOT NULL CHECK (mark IN ('READ', 'UNREAD', 'DELETED')),
  marked_at   timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (customer_id, message_key)
);
CREATE INDEX message_marks_marked ON message_marks (marked_at);
