"""A CRM that misbehaves: a process of its own, with a memory of its own, in the dialects of the vendors."""
