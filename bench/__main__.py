"""`python -m bench`: a command for each benchmark."""

import typer

from bench import bridge, capture, counting, delivery, end_to_end, mail_composition, pipeline, rules
from bench.peers import command as peers
from operations.interruption import interruptible

app = typer.Typer(
    help="Measure on throw-away environments; docs/operations/performance.md explains the figures.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command("pipeline", epilog="Example: python -m bench pipeline throughput latency")(pipeline.main)
app.command("rules", epilog="Example: python -m bench rules bulk --backend hashmap")(rules.main)
app.command("peers", epilog="Example: python -m bench peers --rounds 5")(peers.main)
app.command("end-to-end", epilog="Example: python -m bench end-to-end --rate 100 --warm-up 60")(
    end_to_end.main
)
app.command("bridge", epilog="Example: python -m bench bridge --bridges 1")(bridge.main)
app.command("capture", epilog="Example: python -m bench capture --customers 50000")(capture.main)
app.command("delivery", epilog="Example: python -m bench delivery --rate 100 --count 3000")(delivery.main)
app.command("mail-composition", epilog="Example: python -m bench mail-composition")(mail_composition.main)
app.command("counting", epilog="Example: python -m bench counting java")(counting.main)

if __name__ == "__main__":
    with interruptible():  # So that nothing is left running.
        app()
