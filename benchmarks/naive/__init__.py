"""A Flask app as Flask's tutorial teaches it (https://flask.palletsprojects.com/tutorial/), to measure ours beside.

Posts instead of work items; a connection a request, plain sqlite3 as it comes, Jinja pages, Flask's session cookie. It
has no API in the tutorial: the two JSON answers and /readyz are added, and AUTH_DISABLED, with which everybody is the
first user.
"""

import os
import sqlite3
from pathlib import Path
from typing import Any

from flask import Flask, abort, flash, g, jsonify, redirect, render_template, request, session, url_for
from werkzeug.security import check_password_hash, generate_password_hash
from werkzeug.wrappers import Response

POSTS = (
    "SELECT p.id, title, body, created, author_id, username FROM post p JOIN user u ON p.author_id = u.id"
    " ORDER BY created DESC"
)
POST = (
    "SELECT p.id, title, body, created, author_id, username FROM post p JOIN user u ON p.author_id = u.id"
    " WHERE p.id = ?"
)


def get_db() -> sqlite3.Connection:
    if "db" not in g:
        g.db = sqlite3.connect(os.environ["DATABASE_PATH"])
        g.db.row_factory = sqlite3.Row
    return g.db


def close_db(_error: BaseException | None = None) -> None:
    db = g.pop("db", None)
    if db is not None:
        db.close()


def load_logged_in_user() -> None:
    user_id = 1 if os.environ["AUTH_DISABLED"] == "true" else session.get("user_id")
    query = "SELECT * FROM user WHERE id = ?"
    g.user = None if user_id is None else get_db().execute(query, (user_id,)).fetchone()


def index() -> str:
    return render_template("index.html", posts=get_db().execute(POSTS).fetchall())


def show(id: int) -> str:
    return render_template("post.html", post=get_post(id))


def index_as_json() -> Response:
    return jsonify([dict(post) for post in get_db().execute(POSTS)])


def show_as_json(id: int) -> Response:
    return jsonify(dict(get_post(id)))


def create() -> Any:
    if g.user is None:
        return redirect(url_for("login"))
    if request.method == "POST":
        title, body = request.form["title"], request.form["body"]
        if title:
            db = get_db()
            db.execute("INSERT INTO post (title, body, author_id) VALUES (?, ?, ?)", (title, body, g.user["id"]))
            db.commit()
            return redirect(url_for("index"))
        flash("Title is required.")
    return render_template("create.html")


def login() -> Any:
    if request.method == "POST":
        user = get_db().execute("SELECT * FROM user WHERE username = ?", (request.form["username"],)).fetchone()
        if user and check_password_hash(user["password"], request.form["password"]):
            session.clear()
            session["user_id"] = user["id"]
            return redirect(url_for("index"))
        flash("Incorrect username or password.")
    return render_template("login.html")


def get_post(id: int) -> sqlite3.Row:
    return get_db().execute(POST, (id,)).fetchone() or abort(404)


def create_app() -> Flask:
    """The app on a new database with one user."""
    app = Flask("benchmarks.naive")
    app.config["SECRET_KEY"] = "dev"
    app.before_request(load_logged_in_user)
    app.teardown_appcontext(close_db)
    app.add_url_rule("/", "index", index)
    app.add_url_rule("/<int:id>", "show", show)
    app.add_url_rule("/posts.json", "index_as_json", index_as_json)
    app.add_url_rule("/<int:id>.json", "show_as_json", show_as_json)
    app.add_url_rule("/create", "create", create, methods=["GET", "POST"])
    app.add_url_rule("/auth/login", "login", login, methods=["GET", "POST"])
    app.add_url_rule("/readyz", "readyz", lambda: "ready")
    with app.app_context():
        db = get_db()
        db.executescript(Path(__file__).with_name("schema.sql").read_text())
        made = (os.environ["ADMIN_EMAIL"], generate_password_hash(os.environ["ADMIN_PASSWORD"]))
        db.execute("INSERT INTO user (username, password) VALUES (?, ?)", made)
        db.commit()
    return app
