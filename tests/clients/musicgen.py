"""A client of the profile `musicgen` on a server, as its guide describes one.

It asks with an API key, logs in by password and by key, retries with a fresh token when its own has expired, and looks
after its keys. Nothing but the standard library is needed.
"""

import json
import os
import re
import sys
import time
import urllib.error
import urllib.request
from datetime import datetime

API = os.environ["BASE_URL"] + "/v1"


def ask(method, path, headers=None, content=None):
    """The status, the fields and the decoded content of the answer."""
    headers = {"Content-Type": "application/json", **(headers or {})}
    data = None if content is None else json.dumps(content).encode()
    request = urllib.request.Request(API + path, data=data, headers=headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            text = answer.read()
            return answer.status, answer.headers, json.loads(text) if text else None
    except urllib.error.HTTPError as refusal:
        return refusal.code, refusal.headers, json.loads(refusal.read())


def expect(is_so, what):
    if not is_so:
        sys.exit(f"not so: {what}")


def with_api_key(key):
    expect(re.match(r"^sk_(live|test)_[a-zA-Z0-9]{32}$", key), "the key has the form of the guide")
    status, fields, user = ask("GET", "/user/profile", {"X-API-Key": key})
    expect(status == 200, f"a key shows the profile, but it was {status}")
    expect(user.get("email") and user.get("tier"), "the profile has an address and a tier")
    expect(int(fields["X-RateLimit-Limit"]) > 0, "the limit is told")


def with_tokens(login, refreshes):
    """Asks until its token has expired so often."""
    status, _, opened = ask("POST", "/auth/login", content=login)
    expect(status == 200, f"a login succeeds, but it was {status}")
    expect(opened["token_type"] == "bearer" and opened["expires_in"] > 0, "the token is described")
    access, refresh, done = opened["access_token"], opened["refresh_token"], 0
    while done < refreshes:
        status, _, answer = ask("GET", "/user/profile", {"Authorization": f"Bearer {access}"})
        if status == 200:
            time.sleep(0.1)
            continue
        expect(status == 401 and answer["error"]["code"] == "TOKEN_EXPIRED", f"a token only ever expires: {answer}")
        expect(answer["error"]["request_id"].startswith("req_"), "the refusal has an id")
        status, _, renewed = ask("POST", "/auth/refresh", content={"refresh_token": refresh})
        expect(status == 200, f"the first refresh token works for ever, but it was {status}")
        access, done = renewed["access_token"], done + 1


def looking_after_keys(key):
    """Replaces a key as a job that runs every few months would."""
    headers = {"X-API-Key": key}
    wanted = {"name": "job", "permissions": ["models:read"]}
    status, _, made = ask("POST", "/user/api-keys", headers, wanted)
    expect(status == 201, f"a key is made, but it was {status}")
    age = datetime.now().astimezone() - datetime.fromisoformat(made["created_at"].replace("Z", "+00:00"))
    expect(abs(age.total_seconds()) < 3600, "the time of its making can be read")
    status, _, successor = ask("POST", f"/user/api-keys/{made['id']}/rotate", headers, {"overlap": 7 * 86400})
    expect(status == 201, f"it is rotated, but it was {status}")
    for each in (made, successor):
        status, _, _ = ask("GET", "/models", {"X-API-Key": each["key"]})
        expect(status == 200, f"both keys work, but it was {status}")
    status, _, _ = ask("DELETE", f"/user/api-keys/{made['id']}", headers)
    expect(status == 204, f"the old one is deleted, but it was {status}")
    status, _, refusal = ask("GET", "/models", {"X-API-Key": made["key"]})
    expect((status, refusal["error"]["code"]) == (401, "INVALID_TOKEN"), "the old one works no more")


with_api_key(os.environ["API_KEY"])
with_tokens({"email": os.environ["EMAIL"], "password": os.environ["PASSWORD"]}, int(os.environ["REFRESHES"]))
with_tokens({"api_key": os.environ["API_KEY"]}, 1)
looking_after_keys(os.environ["API_KEY"])
print("fine")
