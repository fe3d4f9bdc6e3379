"""Every problem as an answer: a page of the app for people, one shape of JSON for programs."""

import secrets

import structlog
from flask import Flask, jsonify, render_template, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed
from werkzeug.wrappers import Response

from app.errors import NotFound, Problem
from app.web.auth import HEALTH
from app.writer.lease import Standby

TITLES = {
    403: "Not allowed",
    404: "Not found",
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
    for_program = request.path.startswith("/api/") or request.endpoint in HEALTH
    if for_program:
        body = {key: getattr(problem, key) for key in ("code", "message", "hint", "fields")}
        response = jsonify({"error": body})
    else:
        title = TITLES.get(problem.code) or TITLES.get(problem.status, "This can't be done")
        response = Response(
            render_template("error.html", problem=problem, status=problem.status, title=title), mimetype="text/html"
        )
    response.status_code = problem.status
    if problem.retry_after:
        response.headers["Retry-After"] = str(problem.retry_after)
    if isinstance(problem, Standby) and request.method == "GET" and not for_program:
        # The page reloads itself, without a script.
        response.headers["Refresh"] = str(problem.retry_after)
    if problem.status == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


def _http(error: HTTPException) -> Response | HTTPException:
    """Flask's own refusals: no such page, wrong method, too large, redirects."""
    if (error.code or 500) < 400:
        return error
    if error.code == 404:
        problem: Problem = NotFound(f"There is no {request.path}.", "Look whether the address is typed right.")
    elif error.code == 413:
        problem = Problem("What you sent is larger than 1 MB, so it was not kept.", "Shorten it and send it again.")
    else:
        problem = Problem(f"{error.name}.", error.description or "")
    problem.status = error.code or 500
    problem.code = error.name.lower().replace(" ", "_")
    response = answer(problem)
    if isinstance(error, MethodNotAllowed) and error.valid_methods:
        response.headers["Allow"] = ", ".join(error.valid_methods)
    return response


def _unexpected(error: Exception) -> Response:
    """A fault of ours: the details go to the log, a number that finds them there to the person."""
    number = secrets.token_hex(4)
    log.error("An unexpected error.", number=number, exc_info=error)
    problem = Problem(
        "An unexpected error. It is in the log.", f"If it happens again, look for the number {number} there."
    )
    problem.status, problem.code = 500, "internal_error"
    return answer(problem)
