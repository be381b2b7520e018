"""Write the reference pages of `docs/` from the code: `python -m docs_generator`, or `make docs`.

Each page is a pure function that returns Markdown. `tests/unit/docs_generator` fails when a page is stale.
"""
