"""What runs in Python inside Flink: functions of the jobs, and the pure functions that decide for them.

A job carries these modules with it by value (`jobs/runner.py`), so that two versions can run in one
TaskManager. Everything else they use is named by where it is imported from. The classes of confluent-kafka
that are written in C don't know that: import the module, not them.

What passes between operators, and what stands in state, is plain (tuples, dictionaries, texts): Flink
pickles it, and pickle can't name a class that is carried by value.
"""
