"""The JSON API, one file a resource, and its OpenAPI document."""
