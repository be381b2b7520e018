-- All that is raised, by whatever rule.
CREATE TEMPORARY VIEW raised_alerts AS
SELECT * FROM raised_amounts
UNION ALL
SELECT * FROM raised_counts
