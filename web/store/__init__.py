"""SQL of the web application, a module for each subject: the bank's database, the delivery ledger."""
