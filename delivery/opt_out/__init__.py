"""STOP, START and HELP by SMS: what they say, who sent them, and what is answered."""
