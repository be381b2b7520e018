-- What the bank's own people did in the web application, and who looked at whose data.
--
-- Rows are added before the action, so none is without its row; they are never changed, but forgotten with the
-- customer (forget_customer) or when they are old (forget_history).

CREATE TABLE operator_actions (
    id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    done_at timestamptz(3) NOT NULL DEFAULT clock_timestamp(),
    done_by text NOT NULL CHECK (done_by <> '' AND octet_length(done_by) <= 1000),
    action  text NOT NULL CHECK (action <> '' AND octet_length(action) <= 100),
    subject text CHECK (octet_length(subject) <= 1000),
    reason  text NOT NULL DEFAULT '' CHECK (octet_length(reason) <= 1000)
);
CREATE INDEX ON operator_actions (done_at);
CREATE INDEX ON operator_actions USING hash (subject);
COMMENT ON COLUMN operator_actions.done_by IS 'The OpenID provider''s id of them';
COMMENT ON COLUMN operator_actions.action IS 'Such as LOOK_UP, REPLAY, START_RULE';
COMMENT ON COLUMN operator_actions.subject IS 'The customer, account, booking, dead letter or rule it was about; null: forgotten';
COMMENT ON COLUMN operator_actions.reason IS 'The ticket, or what they wrote';

CREATE OR REPLACE PROCEDURE forget_customer(forgotten text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    DELETE FROM customers WHERE customer_id = forgotten;
    UPDATE history SET old_row = NULL, new_row = NULL
    WHERE coalesce(new_row, old_row) ->> 'customer_id' = forgotten;
    UPDATE operator_actions SET subject = NULL WHERE subject = forgotten;
END
$$;

CREATE OR REPLACE PROCEDURE forget_history(older_than interval)
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    DELETE FROM history WHERE changed_at < now() - older_than;
    DELETE FROM operator_actions WHERE done_at < now() - older_than
$$;
