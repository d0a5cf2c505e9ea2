"""A script of the profile `vantage`, as its guide describes one: it logs in, asks with the token, refreshes it before it ends,
and works with API keys beside it. Nothing but the standard library is needed.
"""

import json
import os
import sys
import time
import urllib.error
import urllib.request

API = os.environ["BASE_URL"] + "/api/v1"


def ask(method, path, authorization=None, content=None):
    """The status, the fields and the decoded content of the answer."""
    headers = {}
    if authorization:
        headers["Authorization"] = authorization
    if content is not None:
        headers["Content-Type"] = "application/json"
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


def registered():
    """A new person, who logs in afterwards."""
    person = {"email": f"client-{time.time_ns()}@example.com", "password": "secure_password", "name": "John Doe"}
    status, _, user = ask("POST", "/auth/register", content=person)
    expect(status == 201 and user["email"] == person["email"], f"somebody registers, but it was {status}: {user}")
    status, _, refusal = ask("POST", "/auth/login", content={**person, "password": "another_password"})
    expect(status == 401 and "detail" in refusal and "error" in refusal, f"a wrong password is refused: {refusal}")
    return {"email": person["email"], "password": person["password"]}


def with_token(login, refreshes):
    status, _, opened = ask("POST", "/auth/login", content=login)
    expect(status == 200 and opened["user"]["email"] == login["email"], f"a login succeeds, but it was {status}")
    token = opened["access_token"]
    for _ in range(refreshes):
        status, fields, _ = ask("GET", "/posts", f"Bearer {token}")
        expect(status == 200, f"the token opens the posts, but it was {status}")
        limit, left = int(fields["X-RateLimit-Limit"]), int(fields["X-RateLimit-Remaining"])
        expect(0 <= left < limit and int(fields["X-RateLimit-Reset"]) > time.time(), "the limit is told")
        status, _, renewed = ask("POST", "/auth/refresh", f"Bearer {token}")
        expect(status == 200, f"a token that is good is refreshed, but it was {status}")
        token = renewed["access_token"]
    return token


def ends(token):
    """Asks until the token has ended, and answers how it is told."""
    while True:
        status, _, refusal = ask("GET", "/posts", f"Bearer {token}")
        if status != 200:
            return status, refusal["error"]
        time.sleep(0.1)


def with_api_keys(token):
    wanted = {"name": "My API Key", "description": "For testing", "permissions": ["read:posts"]}
    status, _, made = ask("POST", "/api-keys", f"Bearer {token}", wanted)
    expect(status == 201 and made["key"].startswith("vantage_"), f"a key is made, but it was {status}: {made}")
    status, _, _ = ask("GET", "/posts", f"ApiKey {made['key']}")
    expect(status == 200, f"it opens the posts, but it was {status}")
    status, _, refusal = ask("POST", "/posts", f"ApiKey {made['key']}", {"title": "no"})
    expect((status, refusal["error"]) == (403, "insufficient_permissions"), f"and nothing more: {refusal}")
    status, _, _ = ask("DELETE", f"/api-keys/{made['id']}", f"Bearer {token}")
    expect(status == 204, f"it is ended, but it was {status}")
    status, _, _ = ask("GET", "/posts", f"ApiKey {made['key']}")
    expect(status == 401, f"it opens nothing any more, but it was {status}")


person = registered()
with_api_keys(with_token(person, 1))
last = with_token(person, int(os.environ["REFRESHES"]))
expect(ends(last) == (401, "token_expired"), "a token that nobody refreshes ends")
print("fine")
