-- Who changed what, and when. An application says for whom it works: SET alerts.changed_by = 'branch 7, clerk 12'.

CREATE TABLE history (
    id               bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    table_name       text NOT NULL,
    action           text NOT NULL CHECK (action IN ('INSERT', 'UPDATE', 'DELETE')),
    old_row          jsonb,
    new_row          jsonb,
    changed_at       timestamptz NOT NULL DEFAULT transaction_timestamp(),
    transaction_id   xid8 NOT NULL DEFAULT pg_current_xact_id(),
    database_user    text NOT NULL DEFAULT session_user,
    application_user text DEFAULT nullif(current_setting('alerts.changed_by', true), '')
);
CREATE INDEX ON history (changed_at);
CREATE INDEX ON history ((coalesce(new_row, old_row) ->> 'customer_id'));
COMMENT ON COLUMN history.changed_at IS 'When its transaction began';

-- Added rows come by the million, so they are noted together; changed and deleted ones each with its old self.
CREATE FUNCTION note_added() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO history (table_name, action, new_row)
    SELECT TG_TABLE_NAME, TG_OP, to_jsonb(added) FROM added;
    RETURN NULL;
END
$$;

CREATE FUNCTION note_changed() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO history (table_name, action, old_row, new_row)
    VALUES (TG_TABLE_NAME, TG_OP, to_jsonb(OLD), CASE WHEN TG_OP = 'UPDATE' THEN to_jsonb(NEW) END);
    RETURN NULL;
END
$$;

DO $$
DECLARE
    each text;
BEGIN
    FOREACH each IN ARRAY ARRAY['customers', 'accounts', 'access_rights', 'addresses', 'preferences'] LOOP
        EXECUTE format(
            'CREATE TRIGGER note_added AFTER INSERT ON %I REFERENCING NEW TABLE AS added '
            'FOR EACH STATEMENT EXECUTE FUNCTION note_added()', each);
        EXECUTE format(
            'CREATE TRIGGER note_changed AFTER UPDATE OR DELETE ON %I '
            'FOR EACH ROW EXECUTE FUNCTION note_changed()', each);
        -- It would pass by these triggers.
        EXECUTE format(
            'CREATE TRIGGER never_truncated BEFORE TRUNCATE ON %I '
            'FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()', each);
    END LOOP;
END
$$;

-- A customer who wants to be forgotten: nothing of him stays, but that and when there was a change.
CREATE PROCEDURE forget_customer(forgotten text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    DELETE FROM customers WHERE customer_id = forgotten;
    UPDATE history SET old_row = NULL, new_row = NULL
    WHERE coalesce(new_row, old_row) ->> 'customer_id' = forgotten;
END
$$;

-- What is older than the bank must keep, for example: CALL forget_history('10 years').
CREATE PROCEDURE forget_history(older_than interval)
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    DELETE FROM history WHERE changed_at < now() - older_than
$$;

-- Both undo what the bank must keep: only whom it is given to.
REVOKE EXECUTE ON PROCEDURE forget_customer, forget_history FROM PUBLIC;
