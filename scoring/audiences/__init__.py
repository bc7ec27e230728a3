"""Lists that leave the house: who is on them, what each platform takes, when and how often people may be reached."""
