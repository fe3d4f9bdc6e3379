"""Every problem as an answer: a page of the app for people, one shape of JSON for programs."""

import json
import secrets
from functools import lru_cache
from typing import Any

import structlog
from flask import Flask, jsonify, render_template, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed
from werkzeug.wrappers import Response

from app.errors import NotFound, Problem, Standby, TooLarge
from app.web.health import ALIVE, READY
from app.web.security import HEADERS, MAX_BODY
from app.web.static_files import address

TITLES = {
    403: "Not allowed",
    404: "Not found",
    408: "Too slow",
    413: "Too large",
    429: "Too many tries",
    500: "Something went wrong",
    503: "Not just now",
    507: "No room left",
    Standby.code: "One moment, please",
}
log = structlog.get_logger()


def init(app: Flask) -> None:
    app.register_error_handler(Problem, answer)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(Exception, _unexpected)


def answer(problem: Problem) -> Response:
    for_program = _wants_json(request.path)
    if for_program:
        response = jsonify(_as_json(problem))
    else:
        response = Response(
            render_template("error.html", problem=problem, status=problem.status, title=_title(problem)),
            mimetype="text/html",
        )
    # Whatever makes it not ready is told as that: monitors and load balancers know 503.
    response.status_code = 503 if request.path == READY and problem.status >= 500 else problem.status
    response.headers.update(retry_after(problem))
    if isinstance(problem, Standby) and request.method == "GET" and not for_program:
        # The page reloads itself, without a script.
        response.headers["Refresh"] = str(problem.retry_after)
    if problem.status == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


def answer_in_loop(app: Flask, path: str, problem: Problem) -> tuple[int, list[tuple[str, str]], bytes]:
    """The same without Flask's request, for the event loop: it asks neither the database nor who is signed in."""
    if _wants_json(path):
        kind, body = "application/json", json.dumps(_as_json(problem))
    else:
        kind = "text/html; charset=utf-8"
        body = _page_in_loop(app, _title(problem), problem.status, problem.message, problem.hint)
    headers = [*HEADERS.items(), ("Cache-Control", "no-store"), ("Content-Type", kind)]
    return problem.status, [*headers, *retry_after(problem).items()], body.encode()


def retry_after(problem: Problem | None) -> dict[str, str]:
    return {"Retry-After": str(problem.retry_after)} if problem and problem.retry_after else {}


@lru_cache(32)
def _page_in_loop(app: Flask, title: str, status: int, message: str, hint: str) -> str:
    """Kept, because a thousand connections that break at once are answered one after the other."""
    page = app.jinja_env.get_template("refusal.html")
    return page.render(title=title, status=status, message=message, hint=hint, static=address)


def _wants_json(path: str) -> bool:
    return path.startswith("/api/") or path in (ALIVE, READY)


def _as_json(problem: Problem) -> dict[str, Any]:
    return {"error": {**problem.as_dict(), "fields": problem.fields}}


def _title(problem: Problem) -> str:
    return TITLES.get(problem.code) or TITLES.get(problem.status, "This can't be done")


def _http(error: HTTPException) -> Response | HTTPException:
    """Flask's own refusals: no such page, wrong method, too large, redirects."""
    if (error.code or 500) < 400:
        return error
    if error.code == 404:
        problem: Problem = NotFound(f"There is no {request.path}.", "Look whether the address is typed right.")
    elif error.code == 413:
        problem = TooLarge(MAX_BODY)
    else:
        problem = Problem(f"{error.name}.", error.description or "")
    problem.status = error.code or 500
    problem.code = error.name.lower().replace(" ", "_")
    response = answer(problem)
    if isinstance(error, MethodNotAllowed) and error.valid_methods:
        response.headers["Allow"] = ", ".join(error.valid_methods)
    return response


def _unexpected(error: Exception) -> Response:
    return answer(unexpected(error))


def unexpected(error: Exception) -> Problem:
    """A fault of ours: the details go to the log, a number that finds them there to the person."""
    number = secrets.token_hex(4)
    log.error("An unexpected error.", number=number, exc_info=error)
    problem = Problem(
        "An unexpected error. It is in the log.", f"If it happens again, look for the number {number} there."
    )
    problem.status, problem.code = 500, "internal_error"
    return problem
