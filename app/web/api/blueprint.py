"""What all resources of the API share: their blueprint."""

from flask import Blueprint

from app.web.api.bodies import refuse_other_bodies
from app.web.api.document import document
from app.web.api.etags import with_etag
from app.web.api.openapi import described

api = Blueprint("api", __name__, url_prefix="/api/v1")
api.before_request(refuse_other_bodies)
api.after_request(with_etag)


@api.get("/openapi.json")
@described(None)
def openapi():
    """This document."""
    return document()
