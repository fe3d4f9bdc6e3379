"""Caddy, the reverse proxy that stands in front where the place has none of its own."""

from contract import PORT

IMAGE = "caddy:2.10"
# While the app is redeployed, requests wait for the new instance instead of failing.
WAIT = "60s"


def for_domain(domain: str, upstream: str) -> str:
    """A Caddyfile that serves `domain` with a certificate of its own, from the app at host `upstream`."""
    return f"""{domain} {{
	encode zstd gzip
	reverse_proxy {upstream}:{PORT} {{
		lb_try_duration {WAIT}
		lb_try_interval 500ms
	}}
}}
"""


def behind_front_end(port: int, upstream: str) -> str:
    """A Caddyfile for a container that only the platform's HTTPS front end reaches, so that its headers count."""
    return f"""{{
	admin off
	auto_https off
}}

:{port} {{
	encode zstd gzip
	reverse_proxy {upstream}:{PORT} {{
		trusted_proxies 0.0.0.0/0 ::/0
		lb_try_duration {WAIT}
		lb_try_interval 500ms
	}}
}}
"""
