"""From what analysts' rules find to alerts, and the functions that analysts can call in SQL."""
