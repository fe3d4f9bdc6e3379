"""Sessions of versions before schema 0003, which the upgrade ended: the sign-in page says so.

They named an account by its id and a number. Both start again after a restore, so such a cookie may be another's.
"""

from flask import Response, after_this_request, current_app, request

from app.web.sessions import Sessions

NAME = "task_assist"


def had_older_session() -> bool:
    interface = current_app.session_interface
    if not isinstance(interface, Sessions):
        return False
    kept, _ = interface.read(current_app, request.cookies.get(NAME))
    return "_user_id" in kept


def forget_older_session() -> None:
    """With the answer to this request."""
    if had_older_session():

        @after_this_request
        def _forget(response: Response) -> Response:
            response.delete_cookie(NAME)
            return response
