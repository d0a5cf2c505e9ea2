"""A service that calls the profile `vagaro`, as its guide advises: one token, kept until shortly before it runs out, and
another one when it is refused. Nothing but the standard library is needed.
"""

import base64
import json
import os
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

BASE, ID, SECRET = (os.environ[name] for name in ("BASE_URL", "CLIENT_ID", "CLIENT_SECRET"))


def expect(is_so, what):
    if not is_so:
        sys.exit(f"not so: {what}")


def send(method, path, headers=None, data=None):
    request = urllib.request.Request(BASE + path, data=data, headers=headers or {}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as refusal:
        return refusal.code, json.loads(refusal.read())


def by_json(**changed):
    asked = {"client_id": ID, "client_secret": SECRET, "grant_type": "client_credentials", **changed}
    asked = {name: value for name, value in asked.items() if value is not None}
    return send("POST", "/api/auth/token", {"Content-Type": "application/json"}, json.dumps(asked).encode())


def by_basic():
    pair = f"{urllib.parse.quote_plus(ID)}:{urllib.parse.quote_plus(SECRET)}"
    headers = {"Authorization": "Basic " + base64.b64encode(pair.encode()).decode()}
    headers["Content-Type"] = "application/x-www-form-urlencoded"
    return send("POST", "/api/auth/token", headers, b"grant_type=client_credentials")


class Api:
    """Asks with a token that it keeps."""

    def __init__(self):
        self.token, self.ends, self.tokens = None, 0, 0

    def renew(self):
        status, given = by_json()
        expect(status == 200 and given["token_type"] == "Bearer", f"a token is given, but it was {status}: {given}")
        expect("refresh_token" not in given, "there is no refresh token for a client")
        self.token, self.ends = given["access_token"], time.time() + given["expires_in"]
        self.tokens += 1

    def ask(self, path):
        if time.time() >= self.ends:
            self.renew()
        status, told = send("GET", path, {"Authorization": f"Bearer {self.token}"})
        if status == 401:
            self.renew()
            status, told = send("GET", path, {"Authorization": f"Bearer {self.token}"})
        return status, told


def main():
    api = Api()
    deadline = time.monotonic() + 30
    while api.tokens < 1 + int(os.environ["REFRESHES"]):
        expect(time.monotonic() < deadline, "tokens run out")
        for path in ("/api/customers/123", "/api/employees", "/api/appointments"):
            status, _ = api.ask(path)
            expect(status == 200, f"{path} answers, but it was {status}")
        time.sleep(0.3)
    status, given = by_basic()
    expect(status == 200 and given["expires_in"] > 0, f"the standard's way works too, but it was {status}")
    failed = {"error": "invalid_client", "error_description": "Client authentication failed"}
    expect(by_json(client_secret="wrong") == (401, failed), "a wrong secret is refused")
    missing = {"error": "invalid_request", "error_description": "Missing required parameter: grant_type"}
    expect(by_json(grant_type=None) == (400, missing), "a grant type is needed")
    status, refusal = send("GET", "/api/employees")
    expect(status == 401 and refusal["error"] == "invalid_token", f"without a token nothing is told: {refusal}")


main()
