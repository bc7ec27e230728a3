"""What the CRM should hold: wished for, planned against what it holds, kept in the outbox, sent once."""
