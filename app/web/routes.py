"""Every route of the app. Each of these modules registers its own on the blueprint that it belongs to."""

from app.web import sign_in
from app.web.api import accounts, blueprint, tasks, tokens, trash, work_items
from app.web.health import health
from app.web.pages import account_page, accounts_page, item_page, list_page, task_forms, trash_page
from app.web.pages.blueprint import pages

BLUEPRINTS = (pages, account_page.account_pages, sign_in.auth, blueprint.api, accounts.account_api, health)
MODULES = (list_page, item_page, task_forms, trash_page, accounts_page, work_items, tasks, trash, tokens)
"""Imported for the routes that they add."""
