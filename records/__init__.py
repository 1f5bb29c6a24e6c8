"""What is kept of calls after they are over, in an SQL database: tables, queries, retention."""
