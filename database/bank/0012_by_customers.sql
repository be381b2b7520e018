-- What customers do themselves, on the web application's pages and in the bank's app: switch an alert off without losing
-- it, pause all of them, name their accounts, add an address that counts once they have confirmed it, and say what they
-- consent to. Only what is in force is published. What is there already, and what the bank itself writes, counts as
-- confirmed and switched on.

ALTER TABLE customers ADD COLUMN paused_until timestamptz(3) CHECK (isfinite(paused_until));
COMMENT ON COLUMN customers.paused_until IS 'Not a message before, of any setting';

ALTER TABLE addresses ADD COLUMN confirmed_at timestamptz(3) DEFAULT now() CHECK (isfinite(confirmed_at));
COMMENT ON COLUMN addresses.confirmed_at IS
    'When the customer showed that it is theirs; null: not yet, and nothing is sent there but the code';

ALTER TABLE preferences ADD COLUMN enabled boolean NOT NULL DEFAULT true;
COMMENT ON COLUMN preferences.enabled IS 'False: switched off by the customer, and kept';

CREATE TABLE account_names (
    customer_id text NOT NULL,
    account_id  text NOT NULL,
    name        text NOT NULL CHECK (name <> '' AND octet_length(name) <= 1000),
    PRIMARY KEY (customer_id, account_id),
    FOREIGN KEY (account_id, customer_id) REFERENCES access_rights ON DELETE CASCADE
);
CREATE INDEX ON account_names (account_id, customer_id);
COMMENT ON TABLE account_names IS 'What a customer calls an account';

CREATE TABLE consents (
    customer_id text NOT NULL REFERENCES customers ON DELETE CASCADE,
    purpose     text NOT NULL CHECK (purpose IN ('APPLICATION_REMINDERS')),
    channel     text NOT NULL CHECK (channel IN ('EMAIL', 'SMS', 'PUSH')),
    given       boolean NOT NULL,
    changed_at  timestamptz(3) NOT NULL DEFAULT now() CHECK (isfinite(changed_at)),
    source      text NOT NULL CHECK (source <> '' AND octet_length(source) <= 1000),
    wording     text NOT NULL CHECK (wording <> '' AND octet_length(wording) <= 1000),
    PRIMARY KEY (customer_id, purpose, channel)
);
COMMENT ON COLUMN consents.given IS 'False: refused, or withdrawn; without a row nobody was asked';
COMMENT ON COLUMN consents.source IS 'Where the customer said so, such as APP or BRANCH';
COMMENT ON COLUMN consents.wording IS 'Which version of the text they were shown';

DO $$
DECLARE
    each text;
BEGIN
    FOREACH each IN ARRAY ARRAY['account_names', 'consents'] LOOP
        EXECUTE format(
            'CREATE TRIGGER note_added AFTER INSERT ON %I REFERENCING NEW TABLE AS added '
            'FOR EACH STATEMENT EXECUTE FUNCTION note_added()', each);
        EXECUTE format(
            'CREATE TRIGGER note_changed AFTER UPDATE OR DELETE ON %I '
            'FOR EACH ROW EXECUTE FUNCTION note_changed()', each);
        EXECUTE format(
            'CREATE TRIGGER never_truncated BEFORE TRUNCATE ON %I '
            'FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()', each);
    END LOOP;
END
$$;

CREATE TRIGGER mark_added AFTER INSERT ON consents REFERENCING NEW TABLE AS now_there
    FOR EACH STATEMENT EXECUTE FUNCTION published.mark('customer_id');
CREATE TRIGGER mark_changed AFTER UPDATE ON consents REFERENCING NEW TABLE AS now_there OLD TABLE AS was_there
    FOR EACH STATEMENT EXECUTE FUNCTION published.mark('customer_id');
CREATE TRIGGER mark_deleted AFTER DELETE ON consents REFERENCING OLD TABLE AS was_there
    FOR EACH STATEMENT EXECUTE FUNCTION published.mark('customer_id');

-- The newest code of an address that waits for its confirmation. Only a keyed hash: who reads the table confirms nothing.
CREATE TABLE address_codes (
    customer_id text NOT NULL,
    channel     text NOT NULL,
    address     text NOT NULL,
    code_hash   text NOT NULL,
    expires_at  timestamptz NOT NULL,
    attempts    integer NOT NULL DEFAULT 0,
    PRIMARY KEY (customer_id, channel, address),
    FOREIGN KEY (customer_id, channel, address) REFERENCES addresses ON DELETE CASCADE
);
COMMENT ON COLUMN address_codes.attempts IS 'Wrong ones so far; after a few the code counts no more';

-- Messages of the web application, written in the transaction that they tell of: codes, tests, and what was changed about
-- an address. The senders send them at once, whatever the customer's quiet hours.
CREATE TABLE notices (
    notice_id   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    customer_id text NOT NULL REFERENCES customers ON DELETE CASCADE,
    kind        text NOT NULL CHECK (kind IN ('CODE', 'TEST', 'ADDRESS_ADDED', 'ADDRESS_REMOVED')),
    channel     text NOT NULL CHECK (channel IN ('EMAIL', 'SMS', 'PUSH')),
    address     text NOT NULL,
    language    text NOT NULL,
    title       text NOT NULL,
    body        text,
    created_at  timestamptz NOT NULL DEFAULT now(),
    expires_at  timestamptz NOT NULL,
    due_at      timestamptz DEFAULT now(),
    attempts    integer NOT NULL DEFAULT 0,
    sent_at     timestamptz,
    reason      text
);
CREATE INDEX notices_due ON notices (channel, due_at) WHERE due_at IS NOT NULL;
CREATE INDEX notices_customer ON notices (customer_id, created_at);
CREATE INDEX notices_created ON notices (created_at);
COMMENT ON COLUMN notices.body IS 'Null once it is done: a code is not kept';
COMMENT ON COLUMN notices.expires_at IS 'Later it is not sent any more';
COMMENT ON COLUMN notices.due_at IS 'When it is sent, or sent again; null: it is done';
COMMENT ON COLUMN notices.reason IS 'Why it was not sent';

-- What the API answered to a request with an idempotency key, so that its repetition gets the same answer.
CREATE TABLE api_requests (
    customer_id  text NOT NULL REFERENCES customers ON DELETE CASCADE,
    key          text NOT NULL CHECK (key <> '' AND octet_length(key) <= 255),
    request_hash text NOT NULL,
    answer       jsonb NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (customer_id, key)
);
CREATE INDEX api_requests_created ON api_requests (created_at);

-- As in 0005, but for what is in force only: confirmed addresses, settings that are switched on, and no reminders on
-- channels for which the consent was refused. A pause holds every setting back.
CREATE OR REPLACE VIEW published.current_settings AS
SELECT
    customer_id,
    jsonb_build_object(
        'customer_id', customer_id,
        'language', language,
        'time_zone', time_zone,
        'addresses', coalesce((
            SELECT jsonb_agg(
                jsonb_build_object('channel', channel, 'address', address) ORDER BY channel, address
            )
            FROM public.addresses AS own
            WHERE own.customer_id = customers.customer_id AND own.confirmed_at IS NOT NULL
        ), '[]'),
        'settings', coalesce((
            SELECT jsonb_agg(
                jsonb_build_object(
                    'setting_id', setting_id,
                    'account_id', account_id,
                    'currency', currency,
                    'alert_type', alert_type,
                    'channels', CASE WHEN alert_type = 'APPLICATION_REMINDER' THEN (
                        SELECT coalesce(jsonb_agg(channel ORDER BY place), '[]')
                        FROM unnest(channels) WITH ORDINALITY AS asked (channel, place)
                        WHERE NOT EXISTS (
                            SELECT FROM public.consents AS refused
                            WHERE refused.customer_id = own.customer_id AND NOT refused.given
                                AND refused.purpose = 'APPLICATION_REMINDERS'
                                AND refused.channel = asked.channel
                        )
                    ) ELSE to_jsonb(channels) END,
                    'threshold_minor', threshold_minor,
                    'count', count,
                    'window_minutes', window_minutes,
                    'snoozed_until',
                        floor(extract(epoch FROM greatest(snoozed_until, paused_until)) * 1000)::bigint
                ) ORDER BY setting_id
            )
            FROM public.preferences AS own
            WHERE own.customer_id = customers.customer_id AND own.enabled
        ), '[]'),
        'quiet_from', quiet_from,
        'quiet_to', quiet_to,
        'digest', digest
    ) AS record
FROM public.customers;
