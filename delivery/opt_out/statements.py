"""The SQL of opt-outs (database/delivery/0003_opt_outs.sql). Each statement may be run again."""

STOPPED = "SELECT number FROM sms_opt_outs WHERE number = ANY (%(numbers)s) AND stopped"

# A repeated keyword changes nothing, and gets no second answer. START of a number that never stopped is none.
RECORD = """
WITH changed AS (
  INSERT INTO sms_opt_outs AS known (number, stopped, changed_at, pending)
  SELECT %(number)s, %(keyword)s = 'STOP', clock_timestamp(), true
  WHERE %(keyword)s = 'STOP'
    OR %(keyword)s = 'START' AND EXISTS (SELECT FROM sms_opt_outs WHERE number = %(number)s)
  ON CONFLICT (number) DO UPDATE SET
    stopped = EXCLUDED.stopped,
    -- Later than what it replaces, whatever the clocks of two servers said.
    changed_at = greatest(EXCLUDED.changed_at, known.changed_at + interval '1 ms'),
    pending = true,
    recorded_at = NULL
  WHERE known.stopped <> EXCLUDED.stopped
  RETURNING 1
)
INSERT INTO sms_replies (number, keyword, language)
SELECT %(number)s, %(keyword)s, coalesce((
    SELECT lower(split_part(language, '-', 1)) FROM profiles
    WHERE sms_number = %(number)s AND language IS NOT NULL ORDER BY customer_id LIMIT 1
  ), %(language)s, %(fallback)s)
WHERE EXISTS (SELECT FROM changed)
  OR %(keyword)s = 'HELP' AND NOT EXISTS (
    -- Two machines that answer each other shall not do so for ever.
    SELECT FROM sms_replies
    WHERE number = %(number)s AND keyword = 'HELP' AND created_at > now() - interval '1 minute'
  )
RETURNING 1
"""

ADD_PART = """
INSERT INTO sms_parts (number, recipient, reference, total, part, coding, body)
VALUES (%(number)s, %(recipient)s, %(reference)s, %(total)s, %(part)s, %(coding)s, %(body)s)
ON CONFLICT (number, recipient, reference, total, part) DO UPDATE SET
  coding = EXCLUDED.coding, body = EXCLUDED.body, received_at = now()
"""

# After the commit of a part: of two senders that add the last two at once, at least one sees all.
_OF_ONE_SMS = """
number = %(number)s AND recipient = %(recipient)s AND reference = %(reference)s AND total = %(total)s
"""
PARTS = f"""
SELECT part, coding, body FROM sms_parts
WHERE {_OF_ONE_SMS} AND received_at > now() - %(wait)s * interval '1 ms' ORDER BY part
"""
DELETE_PARTS = f"DELETE FROM sms_parts WHERE {_OF_ONE_SMS}"

CLAIM_REPLIES = """
WITH due AS (
  SELECT reply_id FROM sms_replies WHERE due_at <= now()
  ORDER BY due_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED
)
UPDATE sms_replies
SET attempts = attempts + 1, due_at = now() + %(lease)s * interval '1 ms'
WHERE reply_id = ANY (ARRAY(SELECT reply_id FROM due))
RETURNING reply_id, number, keyword, language, created_at,
  extract(epoch FROM now() - created_at)::float AS age
"""

FINISH_REPLY = """
UPDATE sms_replies
SET due_at = now() + %(again)s * interval '1 ms',
  sent_at = CASE WHEN %(sent)s::boolean THEN now() END,
  reason = %(reason)s
WHERE reply_id = %(reply_id)s AND due_at IS NOT NULL
"""

UNRECORDED = """
SELECT number, stopped, changed_at FROM sms_opt_outs
WHERE pending AND recorded_at IS NULL ORDER BY changed_at LIMIT %(limit)s
"""
RECORDED = """
UPDATE sms_opt_outs SET recorded_at = now()
WHERE number = %(number)s AND changed_at = %(changed_at)s AND pending
"""
OLDEST_UNRECORDED = """
SELECT coalesce(extract(epoch FROM now() - min(changed_at)), 0)::float AS age FROM sms_opt_outs
WHERE pending AND recorded_at IS NULL
"""

PRUNE_PARTS = "DELETE FROM sms_parts WHERE received_at < now() - %(wait)s * interval '1 ms'"
PRUNE_REPLIES = """
DELETE FROM sms_replies WHERE created_at < now() - %(retention)s * interval '1 ms' AND due_at IS NULL
"""
