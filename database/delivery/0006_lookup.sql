-- An operator looks alerts up by account and by booking (web/store/lookup.py): "did we tell them, and why?".
--
-- Ids may be longer than a B-tree can hold. Building the two takes a minute for ten million rows, during which
-- senders wait; nothing is lost.

CREATE INDEX deliveries_account ON deliveries USING hash (account_id);
CREATE INDEX deliveries_entry ON deliveries USING hash (entry_id);
