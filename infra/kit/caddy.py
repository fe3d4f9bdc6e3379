"""Caddy, the reverse proxy that stands in front where the place has none of its own."""

from contract import PORT

# 2.11.7, Docker Hub's index of its official image. Before 2.11.4 a client's X_Forwarded_For went through to the app
# beside the proxy's own header: github.com/caddyserver/caddy/pull/7808.
IMAGE = "caddy@sha256:f2a1290d0463aad60660d4ec134943f183ee2a5f6c3eb7bf32dd984f2f020772"
# Names that no public authority signs, so that Caddy does it with its own: SubjectIsInternal in certmagic 0.25.6.
UNSIGNED = (".localhost", ".local", ".internal", ".home.arpa")
ROOT_CERTIFICATE = "/data/caddy/pki/authorities/local/root.crt"
# While the app is redeployed, requests wait for the new instance instead of failing.
WAIT = "60s"


def for_domain(domain: str, upstream: str) -> str:
    """A Caddyfile that serves `domain` with a certificate of its own, from the app at host `upstream`."""
    return f"""{domain} {{
	log
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
