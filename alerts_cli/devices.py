"""`alerts devices`: look at and change which devices take a customer's push messages."""

import json
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from alerts_cli.options import App, JsonFlag, load_config, print_json

app = App(help="Which devices take a customer's push messages.")

Customer = Annotated[str, typer.Argument(help="The customer's id.")]


@app.command("register", epilog="Example: alerts devices register 2 --kind WEB_PUSH --subscription sub.json")
def register(
    customer: Customer,
    kind: Annotated[Literal["WEB_PUSH", "FCM", "APNS"], typer.Option(help="By which it is reached.")],
    subscription: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="For WEB_PUSH: the browser's subscription, JSON."),
    ] = None,
    token: Annotated[str | None, typer.Option(help="For FCM and APNS: the app's token.")] = None,
    device: Annotated[
        str | None, typer.Option(help="A device that has a new token, and keeps its id.")
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Register a device, or change what is known of it; the same token is the same device."""
    if (subscription is None) == (token is None):
        raise typer.BadParameter("give --subscription or --token, and only one of them")
    try:
        to = token if subscription is None else json.loads(subscription.read_text())
    except ValueError as error:
        raise typer.BadParameter(f"{subscription}: is no JSON: {error}") from None
    wanted = {"customer": customer, "kind": kind, "to": to, "device": device}
    found = _ask("POST", "/v1/devices", json=wanted)
    if as_json:
        print_json(found)
    else:
        typer.echo(found["device"])


@app.command("list", epilog="Example: alerts devices list 2")
def list_devices(customer: Customer, as_json: JsonFlag = False) -> None:
    """Show a customer's devices: id and kind; with --json also their addresses."""
    from operations.tables import print_table

    devices = _ask("GET", "/v1/devices", params={"customer": customer})["devices"]
    if as_json:
        for device in devices:
            print_json(device)
    else:
        print_table(("DEVICE", "KIND"), ((device["device"], device["kind"]) for device in devices))


@app.command("remove", epilog="Example: alerts devices remove 2 4f1c9a33b0c4e0d35c7c0a1f4b7b2a10")
def remove(
    customer: Customer,
    device: Annotated[str | None, typer.Argument(help="Its id, as list shows it.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="All devices of the customer.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Remove a device, or all of a customer's: then the service knows nothing of the customer."""
    if (device is None) != everything:
        raise typer.BadParameter("give a device or --all, and only one of them")
    params = {"customer": customer, **({"device": device} if device else {})}
    found = _ask("DELETE", "/v1/devices", params=params)
    if as_json:
        print_json(found)
    else:
        typer.echo(f"{found['removed']} removed")


def _ask(method: str, path: str, **content: Any) -> Any:
    from devenv.bank.device_client import DeviceClient  # Here because it loads the HTTP client.

    with DeviceClient(load_config()) as devices:
        return devices.ask(method, path, **content)
