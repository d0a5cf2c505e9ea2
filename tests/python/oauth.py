"""What two libraries of other people's do with the OAuth endpoints of the gateway, unchanged: they get, ask about and take back
tokens.
"""

import os
import sys

# the gateway is on loopback, without TLS
os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = "1"

import requests
from authlib.integrations.requests_client import OAuth2Session as AuthlibSession
from oauthlib.oauth2 import BackendApplicationClient, InvalidClientError
from requests.auth import HTTPBasicAuth
from requests_oauthlib import OAuth2Session

BASE, ID, SECRET = (os.environ[name] for name in ("BASE_URL", "CLIENT_ID", "CLIENT_SECRET"))
TOKEN, INTROSPECT, REVOKE = (BASE + os.environ[name] for name in ("TOKEN_PATH", "INTROSPECT_PATH", "REVOKE_PATH"))
SCOPE = "customers:read"


def expect(is_so, what):
    if not is_so:
        sys.exit(f"not so: {what}")


def with_requests_oauthlib():
    session = OAuth2Session(client=BackendApplicationClient(client_id=ID, scope=[SCOPE]))
    token = session.fetch_token(TOKEN, auth=HTTPBasicAuth(ID, SECRET))
    expect(token["token_type"] == "Bearer" and token["expires_in"] == 3600, f"requests-oauthlib gets a token: {token}")
    expect(session.get(f"{BASE}/api/customers/1").status_code == 200, "and uses it")
    token = session.fetch_token(TOKEN, client_id=ID, client_secret=SECRET, include_client_id=True)
    expect("access_token" in token, "with the secret in the form, too")
    try:
        session.fetch_token(TOKEN, auth=HTTPBasicAuth(ID, "wrong"))
    except InvalidClientError as refusal:
        expect(refusal.description == "Client authentication failed", f"a wrong secret is told as one: {refusal}")
    else:
        expect(False, "a wrong secret gets nothing")


def with_authlib():
    for method in ("client_secret_basic", "client_secret_post"):
        session = AuthlibSession(ID, SECRET, scope=SCOPE, token_endpoint_auth_method=method)
        session.revocation_endpoint_auth_method = session.introspection_endpoint_auth_method = method
        token = session.fetch_token(TOKEN, grant_type="client_credentials")
        expect(token["scope"] == SCOPE if "scope" in token else True, f"authlib gets a token: {token}")
        expect(session.get(f"{BASE}/api/customers/1").status_code == 200, "and uses it")
        about = session.introspect_token(INTROSPECT, token=token["access_token"]).json()
        expect(about["active"] and about["client_id"] == ID, f"it is active: {about}")
        expect(session.revoke_token(REVOKE, token=token["access_token"]).status_code == 200, "it is taken back")
        about = session.introspect_token(INTROSPECT, token=token["access_token"]).json()
        expect(about == {"active": False}, f"it is not active any more: {about}")
        bearer = {"Authorization": f"Bearer {token['access_token']}"}
        refused = requests.get(f"{BASE}/api/customers/1", headers=bearer, timeout=10)
        expect(refused.status_code == 401, "nobody uses it any more")


with_requests_oauthlib()
with_authlib()
