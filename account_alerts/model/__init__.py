"""The vocabulary of the data contract: enumerations, ids, money, errors. It imports nothing of ours."""
