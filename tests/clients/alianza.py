"""A client of the profile `alianza`, with the calls of the one in its guide: it logs in with a user name, sends the token as
X-AUTH-TOKEN, logs in again when the token runs out or is refused, and leaves. Nothing but the standard library is needed.
"""

import json
import os
import sys
import time
import urllib.error
import urllib.request

BASE = os.environ["BASE_URL"]


def expect(is_so, what):
    if not is_so:
        sys.exit(f"not so: {what}")


def send(method, path, headers=None, content=None):
    """The status and the decoded content of the answer; nothing where it has none."""
    headers = dict(headers or {})
    data = None
    if content is not None:
        headers["Content-Type"] = "application/json"
        data = json.dumps(content).encode()
    request = urllib.request.Request(BASE + path, data=data, headers=headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            status, text = answer.status, answer.read()
    except urllib.error.HTTPError as refusal:
        status, text = refusal.code, refusal.read()
    return status, json.loads(text) if text else None


class Client:
    """Keeps a token, and another one when it has to."""

    def __init__(self, name, password):
        self.name, self.password = name, password
        self.session, self.logins = None, 0

    def log_in(self):
        status, session = send("POST", "/v2/authorize", content={"userName": self.name, "password": self.password})
        expect(status == 200, f"a login succeeds, but it was {status}: {session}")
        self.session = session
        self.logins += 1

    def ask(self, method, path, content=None):
        if self.session is None:
            self.log_in()
        status, told = send(method, path, {"X-AUTH-TOKEN": self.session["authToken"]}, content)
        if status == 401:
            self.log_in()
            status, told = send(method, path, {"X-AUTH-TOKEN": self.session["authToken"]}, content)
        return status, told


def main():
    client = Client(os.environ["USER_NAME"], os.environ["PASSWORD"])
    client.log_in()
    wanted = "authToken tokenType expiresIn userId partitionId userType userName partitionName"
    expect(list(client.session) == wanted.split(), f"a login answers these members: {list(client.session)}")

    accounts = f"/v2/partition/{client.session['partitionId']}/account"
    deadline = time.monotonic() + 30
    while client.logins < 1 + int(os.environ["REFRESHES"]):
        expect(time.monotonic() < deadline, "tokens run out")
        status, _ = client.ask("GET", accounts)
        expect(status == 200, f"accounts are listed, but it was {status}")
        time.sleep(0.2)

    status, who = client.ask("GET", "/v2/authorize/userinfo")
    expect(status == 200 and who["userName"] == client.name and "authToken" not in who, f"userinfo tells who it is: {who}")
    status, refusal = client.ask("GET", "/v2/partition/somebody-elses/account")
    expect(status == 403 and refusal["errorCode"] == "FORBIDDEN", f"another partition is refused: {refusal}")
    expect(refusal["path"] == "/v2/partition/somebody-elses/account" and refusal["timestamp"].endswith("Z"), f"{refusal}")

    client.log_in()
    token = {"X-AUTH-TOKEN": client.session["authToken"]}
    expect(send("PUT", "/v2/authorize/logout", token) == (200, None), "leaving answers 200 and nothing else")
    status, refusal = send("GET", "/v2/authorize/userinfo", token)
    expect(status == 401 and refusal["errorCode"] == "UNAUTHORIZED", f"the token is dead: {refusal}")


main()
