-- In which language a customer's SMS is answered, by their number.
--
-- Both columns are filled with the next record of a customer; until then the answer is in the keyword's language. To
-- fill all at once stop the profiles, DELETE FROM profile_progress, and start them: they read the topics again.

ALTER TABLE profiles
  ADD COLUMN language   text,  -- BCP 47
  ADD COLUMN sms_number text;  -- the first number of the customer, E.164 without +
CREATE INDEX profiles_sms_number ON profiles USING hash (sms_number) WHERE sms_number IS NOT NULL;
