"""A job of the profile `marketing`, as its guide describes one: it asks with an API token, and replaces that token before it
ends, with both in use for a while. Nothing but the standard library is needed.
"""

import json
import os
import sys
import urllib.error
import urllib.request

API = os.environ["BASE_URL"] + "/v1"


def ask(method, path, token=None, content=None):
    """The status and the decoded content of the answer."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    if content is not None:
        headers["Content-Type"] = "application/json"
    data = None if content is None else json.dumps(content).encode()
    request = urllib.request.Request(API + path, data=data, headers=headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            text = answer.read()
            return answer.status, json.loads(text) if text else None
    except urllib.error.HTTPError as refusal:
        return refusal.code, json.loads(refusal.read())


def expect(is_so, what):
    if not is_so:
        sys.exit(f"not so: {what}")


def refused(answer, status, code):
    told, content = answer
    expect((told, content["error"]["code"]) == (status, code), f"it is {status} {code}: {answer}")


admin = os.environ["API_KEY"]
expect(ask("GET", "/campaigns", admin)[0] == 200, "a token lists the campaigns")
refused(ask("GET", "/campaigns"), 401, "missing_token")
refused(ask("GET", "/campaigns", "your-api-token"), 401, "invalid_token")

status, reader = ask("POST", "/tokens", admin, {"name": "report", "permissions": ["read"]})
expect(status == 201, f"a token is made, but it was {status}")
expect(ask("GET", "/campaigns", reader["token"])[0] == 200, "it reads")
refused(ask("POST", "/campaigns", reader["token"], {"name": "x"}), 403, "insufficient_permissions")

status, successor = ask("POST", f"/tokens/{reader['id']}/rotate", admin)
expect(status == 201, f"it is replaced, but it was {status}")
for token in (reader, successor):
    expect(ask("GET", "/campaigns", token["token"])[0] == 200, "both work meanwhile")
expect(ask("DELETE", f"/tokens/{reader['id']}", admin)[0] == 204, "the old one is taken back")
refused(ask("GET", "/campaigns", reader["token"]), 401, "invalid_token")
status, listed = ask("GET", "/tokens", admin)
kept = {token["id"]: token["status"] for token in listed["tokens"]}
expect((kept[reader["id"]], kept[successor["id"]]) == ("revoked", "active"), f"the list tells which is which: {kept}")
print("fine")
