"""The accounts that the customer may see, and what they call them."""

from fastapi import APIRouter
from pydantic import BaseModel

from account_alerts.model.masking import masked
from web.api.fields import Model, Money, Text, money, read_cursor, write_cursor
from web.api.requests import PREFIX, Cursor, Limit, problems
from web.auth.dependencies import ApiCustomer, TheParts
from web.store import accounts
from web.store.accounts import Account

router = APIRouter(prefix=f"{PREFIX}/accounts", tags=["accounts"])


class AccountAnswer(BaseModel):
    """One account."""

    account_id: str
    masked: str
    """What may be shown of its number."""
    name: str | None
    """The customer's own; null: they gave it none."""
    currency: str | None
    """Of the newest booking."""
    balance: Money | None
    """After the newest booking; null where it is not known."""


class AccountPage(BaseModel):
    """Some accounts, in the order of their ids."""

    accounts: list[AccountAnswer]
    next: str | None
    """The cursor of the next page; null: there is none."""


class AccountChange(Model):
    """What the customer calls the account; null: nothing of their own."""

    name: Text | None


@router.get("", responses=problems())
async def list_accounts(
    customer: ApiCustomer, parts: TheParts, limit: Limit = 50, cursor: Cursor = None
) -> AccountPage:
    """List the accounts that the customer may see."""
    place = read_cursor(cursor, 1)
    async with parts.bank.read() as connection:
        found = await accounts.list_accounts(
            connection, customer.customer_id, after=place[0] if place else None, limit=limit + 1
        )
    following = write_cursor(found[limit - 1].account_id) if len(found) > limit else None
    shown = [_answer(each, customer.profile.language) for each in found[:limit]]
    return AccountPage(accounts=shown, next=following)


@router.get("/{account_id:path}", responses=problems(404))
async def show_account(customer: ApiCustomer, account_id: str, parts: TheParts) -> AccountAnswer:
    """Return one account."""
    async with parts.bank.read() as connection:
        found = await accounts.find(connection, customer.customer_id, account_id)
    return _answer(found, customer.profile.language)


@router.patch("/{account_id:path}", responses=problems(400, 404, 413))
async def rename_account(
    customer: ApiCustomer, account_id: str, change: AccountChange, parts: TheParts
) -> AccountAnswer:
    """Give an account the customer's own name."""
    async with parts.bank.write(customer.changed_by) as connection:
        await accounts.rename(connection, customer.customer_id, account_id, change.name)
        found = await accounts.find(connection, customer.customer_id, account_id)
    return _answer(found, customer.profile.language)


def _answer(account: Account, language: str) -> AccountAnswer:
    return AccountAnswer(
        account_id=account.account_id,
        masked=masked(account.account_id),
        name=account.name,
        currency=account.currency,
        balance=money(account.balance_minor, account.currency, language),
    )
