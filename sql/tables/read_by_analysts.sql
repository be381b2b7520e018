-- The tables as analysts' rules and queries read them: bookings have a watermark that windows can go by and the order
-- in which they came (a partition counts as silent after 10 s only: none that is merely behind may be passed); and they
-- are read in a group of their own, so that the job's place is left alone.
ALTER TABLE account_entries MODIFY WATERMARK FOR written_at AS written_at - INTERVAL '1' SECOND;
ALTER TABLE account_entries ADD arrived_at AS PROCTIME();
ALTER TABLE account_entries SET ('properties.group.id' = 'adhoc', 'scan.watermark.emit.strategy' = 'on-event',
  'scan.watermark.idle-timeout' = '10 s')
