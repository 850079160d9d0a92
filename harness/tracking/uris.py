"""URIs of stores, without their passwords."""

from __future__ import annotations

from urllib.parse import quote

import sqlalchemy as sa


def public(uri: str) -> str:
    """Return the URI without its password."""
    try:
        return sa.engine.make_url(uri).render_as_string(hide_password=True)
    except sa.exc.ArgumentError:
        return uri


def said(error: BaseException, uri: str) -> str:
    """Return the first line of an error's message, without the URI's password."""
    text = str(error).strip().splitlines()[0][:300] if str(error).strip() else type(error).__name__
    try:
        password = sa.engine.make_url(uri).password
    except sa.exc.ArgumentError:
        return text
    for form in filter(None, {str(password or ""), quote(str(password or ""), safe="")}):
        text = text.replace(form, "***")
    return text
