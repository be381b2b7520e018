-- What analysts ask for about their rules: carried out by `alerts rules guard`, or by the local reconciler.
--
-- A rule concerns every customer: to start one a second person has to agree, to exactly this text. The other requests
-- hold alerts back or look at something, and need nobody else. Rows are kept: they say who wanted what.

CREATE TABLE rule_requests (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    rule         text NOT NULL CHECK (rule ~ '^[a-z][a-z0-9_]{0,59}$'),
    action       text NOT NULL CHECK (action IN ('TEST', 'BACK_TEST', 'START', 'STOP', 'RESUME', 'DISCARD')),
    sql          text NOT NULL CHECK (octet_length(sql) <= 100000),
    reason       text NOT NULL DEFAULT '' CHECK (octet_length(reason) <= 1000),
    asked_by     text NOT NULL CHECK (asked_by <> '' AND octet_length(asked_by) <= 1000),
    asked_at     timestamptz(3) NOT NULL DEFAULT clock_timestamp(),
    agreed_by    text CHECK (agreed_by <> '' AND octet_length(agreed_by) <= 1000),
    agreed_at    timestamptz(3),
    withdrawn_by text CHECK (withdrawn_by <> '' AND octet_length(withdrawn_by) <= 1000),
    begun_at     timestamptz(3),
    ended_at     timestamptz(3),
    succeeded    boolean,
    outcome      text,
    CONSTRAINT who_agreed_and_when CHECK ((agreed_by IS NULL) = (agreed_at IS NULL)),
    CONSTRAINT nobody_agrees_to_their_own CHECK (agreed_by <> asked_by),
    CONSTRAINT a_start_needs_two_people CHECK (action <> 'START' OR begun_at IS NULL OR agreed_by IS NOT NULL),
    CONSTRAINT what_was_withdrawn_is_not_done CHECK (withdrawn_by IS NULL OR begun_at IS NULL),
    CONSTRAINT an_end_has_an_outcome CHECK ((ended_at IS NULL) = (outcome IS NULL) AND
        (ended_at IS NULL) = (succeeded IS NULL) AND (ended_at IS NULL OR begun_at IS NOT NULL))
);
-- Of each rule one request at a time waits for a second person.
CREATE UNIQUE INDEX rule_requests_one_start ON rule_requests (rule)
    WHERE action = 'START' AND agreed_by IS NULL AND withdrawn_by IS NULL;
CREATE INDEX ON rule_requests (rule, id);
CREATE INDEX ON rule_requests (id) WHERE ended_at IS NULL AND withdrawn_by IS NULL;
COMMENT ON COLUMN rule_requests.sql IS 'The rule as it was when it was asked for: this text is what is agreed to, and started';
COMMENT ON COLUMN rule_requests.asked_by IS 'The OpenID provider''s id of them';
COMMENT ON COLUMN rule_requests.outcome IS 'What `alerts rules` said; of a back-test its JSON';
